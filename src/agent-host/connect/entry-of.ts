import { Effect } from "effect"
import type { HostFileUnusable } from "../../contract/errors/errors.ts"
import type { SelectionName } from "../../contract/rows/agent-host.ts"
import { modeOf } from "../../contract/rows/modes.ts"
import { at, isTable } from "../format/json.ts"
import { type AgentHost, ENTRY, type HostScope, type Place, type Server } from "../hosts/agent-host.ts"
import { optionValues } from "./entries.ts"
import { entryPath, readDocument } from "./plan.ts"

/** pyro's entry as a host's file has it. */
export interface FoundEntry {
  readonly scope: HostScope
  readonly path: string
  readonly entry: unknown
  /** The command line; undefined if the entry has none. */
  readonly words: ReadonlyArray<string> | undefined
  /** Other names whose servers are `pyro mcp serve` as well. */
  readonly stale: ReadonlyArray<string>
}

const runsServe = (words: ReadonlyArray<string> | undefined): boolean =>
  words !== undefined && /(^|\/)pyro(\.js)?$/.test(words[0] ?? "") && words[1] === "mcp" && words[2] === "serve"

/** Reads a host's file of a scope; undefined if the file has nothing of pyro. */
export const entryOf = (
  host: AgentHost,
  scope: HostScope,
  place: Place
): Effect.Effect<FoundEntry | undefined, HostFileUnusable> =>
  Effect.gen(function*() {
    const config = host.config(scope, place)
    if (config === undefined) return undefined
    const { value } = yield* readDocument(host, config.path, config.format)
    const entry = at(value, entryPath(host))
    const servers = at(value, host.servers)
    const stale = isTable(servers)
      ? Object.keys(servers).filter((name) => name !== ENTRY && runsServe(host.commandOf(servers[name])))
      : []
    return entry === undefined && stale.length === 0
      ? undefined
      : { scope, path: config.path, entry, words: host.commandOf(entry), stale }
  })

/** Words that a host's entry has behind the options of the server. */
const suffixOf = (host: AgentHost, scope: HostScope): ReadonlyArray<string> =>
  (host.commandOf(host.entry({ command: "pyro", args: ["mcp", "serve"] }, scope)) ?? []).slice(3)

/** The server that an entry means: its command and options if they are those of `pyro mcp serve`, else the usual ones. */
export const meantServer = (
  host: AgentHost,
  { scope, words = [] }: FoundEntry,
  usable: (command: string) => boolean,
  own: string
): Server => {
  const [command = "", ...args] = words
  const suffix = suffixOf(host, scope)
  const hasSuffix = suffix.length > 0 &&
    suffix.every((word, index) => args[args.length - suffix.length + index] === word)
  const bare = hasSuffix ? args.slice(0, -suffix.length) : args
  return {
    command: command !== "" && usable(command) ? command : own,
    args: bare[0] === "mcp" && bare[1] === "serve" ? bare : ["mcp", "serve"]
  }
}

/** The value of a server's option, the last one if there are several. */
const optionOf = ({ args }: Server, flag: string): string | undefined => optionValues(args, flag).at(-1)

/** The mode of a server's options, else the profile. */
export const selectionOf = (server: Server): SelectionName => {
  const mode = modeOf(optionOf(server, "--mode"))
  const profile = optionOf(server, "--profile")
  return mode?.name ?? (profile === "vm-run" || profile === "workspace-full" ? profile : "workspace-core")
}
