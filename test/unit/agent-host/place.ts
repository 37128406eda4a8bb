import { Effect, Result } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { connect, type ConnectOptions, disconnect, printConfig } from "../../../src/agent-host/administer.ts"
import { keptPath } from "../../../src/agent-host/connect/host-files.ts"
import { entryPath } from "../../../src/agent-host/connect/plan.ts"
import { at } from "../../../src/agent-host/format/document.ts"
import { read } from "../../../src/agent-host/format/format.ts"
import { agentHosts } from "../../../src/agent-host/hosts/hosts.ts"
import type { HostName, HostScope } from "../../../src/contract/rows/agent-host.ts"
import { filesBeneath as pathsBeneath } from "../../support/files/files-beneath.ts"

/** A home and a project of a test's own. */
export const newPlace = (variables: Readonly<Record<string, string>> = {}) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-agent-host-"))
  const place: ConnectOptions["place"] = {
    home: path.join(folder, "home"),
    state: path.join(folder, "state"),
    project: path.join(folder, "project"),
    variable: (name) => variables[name],
    exists: fs.existsSync
  }
  fs.mkdirSync(place.home)
  fs.mkdirSync(place.project)
  const options = (host: HostName, others: Partial<ConnectOptions> = {}): ConnectOptions => ({
    host,
    scope: "user",
    approve: "safe",
    place,
    server: { command: "pyro", args: ["mcp", "serve"] },
    skill: false,
    dryRun: false,
    force: false,
    ...others
  })
  const configFile = (host: HostName, scope: HostScope = "user") => agentHosts[host].config(scope, place)!
  return {
    place,
    folder,
    /** The entry of a host in its file, or in another text of the file. */
    entryOf: (host: HostName, text?: string) => {
      const file = configFile(host)
      const value = Result.getOrThrow(read(file.format, text ?? fs.readFileSync(file.path, "utf8")))
      return at(value, entryPath(agentHosts[host]))
    },
    remove: () => fs.rmSync(folder, { recursive: true }),
    configOf: (host: HostName, scope?: HostScope) => configFile(host, scope).path,
    /** The content that a file had before pyro's change of this number. */
    backup: (file: string, number = 1) =>
      fs.readFileSync(`${keptPath(place.state, fs.realpathSync(file))}.${number}`, "utf8"),
    write: (file: string, text: string) => {
      fs.mkdirSync(path.dirname(file), { recursive: true })
      fs.writeFileSync(file, text)
    },
    connect: (host: HostName, others?: Partial<ConnectOptions>) => Effect.runPromise(connect(options(host, others))),
    refused: (host: HostName, others?: Partial<ConnectOptions>) =>
      Effect.runPromise(Effect.flip(connect(options(host, others)))),
    disconnect: (host: HostName, others?: Partial<ConnectOptions>) =>
      Effect.runPromise(disconnect(options(host, others))),
    printConfig: (host: HostName, others?: Partial<ConnectOptions>) =>
      Effect.runPromise(printConfig(options(host, others)))
  }
}

/** Names of all files beneath a folder. */
export const filesBeneath = (folder: string): ReadonlyArray<string> =>
  pathsBeneath(folder).map((file) => path.relative(folder, file))
