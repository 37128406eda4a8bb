import * as assert from "node:assert"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import type * as http from "node:http"
import * as path from "node:path"
import type { InsideName } from "../../../src/contract/rows/agent-host.ts"
import { installation } from "../installation.ts"
import { networkHost } from "../network/host.ts"
import { serveMirrors } from "../network/mirrors/serve.ts"
import { temporaryFolder } from "../pyro-cli.ts"
import { insideOf } from "./inside-of.ts"

/** The one name that an agent reaches, and a name of the same network that no agent may reach. */
export const API = "api.test.net"
export const OTHER = "other.test.net"

const greeting = path.resolve(import.meta.dirname, "../../../examples/greeting")

/**
 * A pyro whose network has a stand-in of a model API at `API`, a project in a git repository, and the agents' environments, which come from the
 * real npm.
 */
export const placeOfAgents = async (agents: ReadonlyArray<InsideName>, listener: http.RequestListener) => {
  const { folder, remove } = temporaryFolder("pyro-inside-inside-")
  const state = path.join(folder, "state")
  const outside = installation("pyro-inside-build-", { env: { PYRO_STATE_DIR: state } })
  const served = await serveMirrors([{
    hosts: [API],
    answer: (request, response) => Promise.resolve(listener(request, response))
  }])
  const host = await networkHost(undefined, served)
  const pyro = installation("pyro-inside-", {
    enter: host.enter,
    env: { PYRO_STATE_DIR: state, SSL_CERT_FILE: served.trustFile }
  })
  for (const name of agents) {
    const { environment } = insideOf(name)
    const { from, npm, packages } = environment
    const added = [...packages.flatMap((one) => ["--packages", one]), ...npm.flatMap((one) => ["--npm", one])]
    const { code, stderr } = await outside.call(["env", "build", environment.name, "--from", from, ...added])
    assert.strictEqual(code, 0, stderr)
  }
  await outside.json(["daemon", "stop"])

  const project = path.join(folder, "greeting")
  fs.cpSync(greeting, project, { recursive: true })
  const git = (...words: ReadonlyArray<string>) => execFileSync("git", words, { cwd: project, encoding: "utf8" })
  git("init", "--quiet")
  git("add", ".")
  git("-c", "user.name=Test", "-c", "user.email=test@example.test", "commit", "--quiet", "--message", "first")
  return {
    pyro,
    project,
    git,
    /** Options of a command in the project's directory: entering the namespaces leaves the directory. */
    here: { enter: [...host.enter, "env", "-C", project] },
    close: async () => {
      await pyro.close()
      await host.close()
      await served.close()
      fs.rmSync(outside.folder, { recursive: true, force: true })
      remove()
    }
  }
}
