import * as path from "node:path"
import type { Approve, HostName, HostScope } from "../../contract/rows/agent-host.ts"
import { named } from "../../contract/text/names.ts"
import { at, type Change, type FormatName, isTable, type Json, type Path } from "../format/document.ts"

export type { Approve, HostName, HostScope }

/** Name of pyro's entry in every host. */
export const ENTRY = "pyro"

/** The surroundings in which a host finds its configuration. */
export interface Place {
  readonly home: string
  /** pyro's state directory, which may not exist yet. */
  readonly state: string
  /** Directory of the project. */
  readonly project: string
  /** Value of an environment variable; undefined if it is absent or empty. */
  readonly variable: (name: string) => string | undefined
  readonly exists: (file: string) => boolean
}

/** Environment variables. */
export type Variables = Readonly<Record<string, string>>

/** The server that a host starts. */
export interface Server {
  readonly command: string
  readonly args: ReadonlyArray<string>
  /** Variables of the server. Absent: the entry keeps its variables. */
  readonly env?: Variables | undefined
}

/** Names of pyro's tools in the profile of a server. */
export interface Tools {
  readonly safe: ReadonlyArray<string>
  /** Exports and deletions: a person decides about each call. */
  readonly asked: ReadonlyArray<string>
}

interface ConfigFile {
  readonly path: string
  readonly format: FormatName
}

/** Changes for approvals in one file of a host. */
interface ApprovalFile extends ConfigFile {
  readonly changes: ReadonlyArray<Change>
}

/** A file that only pyro writes. Without a text, the file does not exist. */
interface OwnFile {
  readonly path: string
  readonly text: string | undefined
}

interface Approvals {
  readonly files: ReadonlyArray<ApprovalFile>
  readonly own?: OwnFile
  /** Further steps for the person. */
  readonly notes?: ReadonlyArray<string>
}

export interface ApprovalRequest {
  readonly approve: Approve
  readonly scope: HostScope
  readonly place: Place
  readonly tools: Tools
  /** The file with the entry, and the entry's path in it. */
  readonly config: ConfigFile
  readonly entry: Path
}

interface Trust {
  readonly file: ConfigFile
  readonly isTrusted: (value: unknown) => boolean
  /** The next step. */
  readonly fix: string
}

/** An agent host: the places of its servers and approvals, and the form of an entry. */
export interface AgentHost {
  readonly name: HostName
  /** Name for people. */
  readonly title: string
  /** Its program on PATH. */
  readonly program: string
  /** The file with the servers; undefined if the host has none in this scope. */
  readonly config: (scope: HostScope, place: Place) => ConfigFile | undefined
  /** Keys from the root of the file to the table of servers. */
  readonly servers: Path
  /** The keys of an entry that pyro writes. Other keys of an entry stay. */
  readonly entry: (server: Server, scope: HostScope) => { readonly [key: string]: Json }
  /** The command line of an entry. */
  readonly commandOf: (entry: unknown) => ReadonlyArray<string> | undefined
  readonly approvals: (request: ApprovalRequest) => Approvals
  /** The folder with the skills of this scope. Absent: pyro knows none. */
  readonly skills?: (scope: HostScope, place: Place) => string
  /** Where the host records that it trusts a project, if it starts a project's servers only then. */
  readonly trust?: (place: Place) => Trust
  /** The variables that a host with the variables `own` gives to the server of an entry. Absent: all of `own`, and those of the entry. */
  readonly environment?: (own: Variables, entry: unknown) => Variables
  /** Variables that the host gives to no server, even if an entry names them. */
  readonly withholds?: ReadonlyArray<string>
}

/** The directory of a user's configuration files. */
export const configHome = ({ home, variable }: Place) => variable("XDG_CONFIG_HOME") ?? path.join(home, ".config")

/** Places of a host's file: `project` below the project, if there is one, and `user` for all projects. */
export const configFiles = (
  format: FormatName,
  project: ReadonlyArray<string> | undefined,
  user: (place: Place) => string
): AgentHost["config"] =>
(scope, place) =>
  scope === "user" ? { path: user(place), format } : project && { path: path.join(place.project, ...project), format }

/** The folder of skills that several hosts share: `.agents/skills` of the home directory or of the project. */
export const sharedSkills =
  (home: (place: Place) => string = (place) => place.home): NonNullable<AgentHost["skills"]> => (scope, place) =>
    path.join(scope === "user" ? home(place) : place.project, ".agents", "skills")

/** Approvals of a host that keeps them where pyro cannot write. `note` says what the person does instead. */
export const noApprovals = (note: string): AgentHost["approvals"] => ({ approve }) => ({
  files: [],
  notes: approve === "none" ? [] : [note]
})

/** The variables of a server under the host's key for them. */
export const envOf = ({ env }: Server, key = "env"): { readonly [key: string]: Json } =>
  env === undefined ? {} : { [key]: env }

/** An entry of a program, its arguments and its variables, as most hosts have it. */
export const plainEntry = (server: Server): { readonly [key: string]: Json } => ({
  command: server.command,
  args: server.args,
  ...envOf(server)
})

const strings = (value: unknown): ReadonlyArray<string> | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === "string") ? value : undefined

/** The command line of an entry with a program and its arguments. */
export const commandLine = (entry: unknown, program = "command"): ReadonlyArray<string> | undefined => {
  const command = at(entry, [program])
  const args = at(entry, ["args"]) ?? []
  const words = strings(args)
  return typeof command === "string" && words !== undefined ? [command, ...words] : undefined
}

/** The command line of an entry with all words in one list. */
export const commandList = (entry: unknown): ReadonlyArray<string> | undefined => strings(at(entry, ["command"]))

/** The variables that an entry sets, under the key that its host has for them. */
export const variablesOf = (entry: unknown): Variables => {
  const table = [["env"], ["environment"], ["envs"], ["transport", "env"]].map((path) => at(entry, path)).find(isTable)
  return named(Object.entries(table ?? {}).flatMap(([name, value]) => typeof value === "string" ? [[name, value]] : []))
}

/** Variables of an entry that pass on variables of the host, for a host that replaces `$NAME`. */
export const handedOn = (names: ReadonlyArray<string>): Variables => named(names.map((name) => [name, `$${name}`]))

/** Whether a variable of an entry passes on the host's variable of that name. */
export const isHandedOn = ([name, value]: readonly [string, string]): boolean => value === `$${name}`

/** The values of an option in a command line. */
export const optionValues = (args: ReadonlyArray<string>, flag: string): ReadonlyArray<string> =>
  args.flatMap((word, index) =>
    word === flag && args[index + 1] !== undefined
      ? [args[index + 1]!]
      : word.startsWith(`${flag}=`)
      ? [word.slice(flag.length + 1)]
      : []
  )

/** Variables of the host that the server needs for its secrets. */
export const neededVariables = (args: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(optionValues(args, "--secret-env"))
]
