import type { Approve, HostName, HostScope } from "../../contract/rows/agent-host.ts"
import type { Change, Json, Path } from "../format/json.ts"
import type { FormatName } from "../format/language.ts"

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

/** The server that a host is to start. */
export interface Server {
  readonly command: string
  readonly args: ReadonlyArray<string>
  /** Variables of the server. Absent: the entry keeps those that it has. */
  readonly env?: Variables | undefined
}

/** Names of pyro's tools in the profile of a server. */
export interface Tools {
  readonly safe: ReadonlyArray<string>
  /** Exports and deletions: a person decides about each call. */
  readonly asked: ReadonlyArray<string>
}

export interface ConfigFile {
  readonly path: string
  readonly format: FormatName
}

/** What approvals need in one file of a host. */
export interface ApprovalFile extends ConfigFile {
  readonly changes: ReadonlyArray<Change>
}

/** A file that only pyro writes. Without a text there is none. */
export interface OwnFile {
  readonly path: string
  readonly text: string | undefined
}

export interface Approvals {
  readonly files: ReadonlyArray<ApprovalFile>
  readonly own?: OwnFile
  /** What a person must do or know besides. */
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

export interface Trust {
  readonly file: ConfigFile
  readonly isTrusted: (value: unknown) => boolean
  /** The next step. */
  readonly fix: string
}

/** An agent host: where it keeps its servers and approvals, and what an entry looks like. */
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
  /** Where the host records that it trusts a project, if it starts a project's servers only then. */
  readonly trust?: (scope: HostScope, place: Place) => Trust | undefined
  /** The variables that the server of an entry gets from a host with the variables `own`. Absent: all of these, and those of the entry. */
  readonly environment?: (own: Variables, entry: unknown) => Variables
  /** Variables of the host that no server gets, whatever its entry says. */
  readonly withholds?: ReadonlyArray<string>
}
