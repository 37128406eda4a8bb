import { Effect } from "effect"
import type { HostFileUnusable } from "../../contract/errors/errors.ts"
import type { ProfileName, SelectionName } from "../../contract/rows/agent-host.ts"
import { modeOf } from "../../contract/rows/modes.ts"
import type { Profile } from "../../contract/rows/operation.ts"
import { operations } from "../../contract/rows/operations.ts"
import { at, isTable } from "../format/document.ts"
import {
  type AgentHost,
  ENTRY,
  type HostScope,
  optionValues,
  type Place,
  type Server,
  type Tools
} from "../hosts/agent-host.ts"
import { entryPath, readDocument } from "./plan.ts"

/** pyro's entry in a host's file. */
export interface FoundEntry {
  readonly scope: HostScope
  readonly path: string
  readonly entry: unknown
  /** The command line; undefined if the entry has none. */
  readonly words: ReadonlyArray<string> | undefined
  /** Names of other entries that also run `pyro mcp serve`. */
  readonly stale: ReadonlyArray<string>
}

const runsServe = (words: ReadonlyArray<string> | undefined): boolean =>
  words !== undefined && /(^|\/)pyro(\.js)?$/.test(words[0] ?? "") && words[1] === "mcp" && words[2] === "serve"

/** Finds pyro's entry in a host's file of a scope. Undefined if the file has no entry of pyro. */
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

/** Words that a host's entry has after the options of the server. */
const suffixOf = (host: AgentHost, scope: HostScope): ReadonlyArray<string> =>
  (host.commandOf(host.entry({ command: "pyro", args: ["mcp", "serve"] }, scope)) ?? []).slice(3)

/** The server of an entry: its command and options if they run `pyro mcp serve`, else the default ones. */
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

/** The mode in a server's options, else the profile. */
export const selectionOf = (server: Server): SelectionName => {
  const mode = modeOf(optionOf(server, "--mode"))
  const profile = optionOf(server, "--profile")
  return mode?.name ?? (profile === "vm-run" || profile === "workspace-full" ? profile : "workspace-core")
}

/** Profiles of `pyro mcp serve`, and their names in the table of operations. */
const profiles: { readonly [Name in ProfileName]: Profile } = {
  "vm-run": "vm-run",
  "workspace-core": "core",
  "workspace-full": "full"
}

const namesOf = (selection: SelectionName): ReadonlyArray<string> => {
  const mode = modeOf(selection)
  const inProfile = profiles[selection as ProfileName]
  return operations.flatMap(({ mcp }) =>
    "tool" in mcp &&
      (mode === undefined
        ? (mcp.profiles as ReadonlyArray<Profile>).includes(inProfile)
        : Object.hasOwn(mode.tools, mcp.tool))
      ? [mcp.tool as string]
      : []
  )
}

/** The tools of a server. Exports write to the host and deletions are final, so a person decides about them. */
export const toolsOf = (selection: SelectionName): Tools => {
  const names = namesOf(selection)
  const isAsked = (name: string) => /_(export|delete)$/.test(name)
  return { safe: names.filter((name) => !isAsked(name)), asked: names.filter(isAsked) }
}
