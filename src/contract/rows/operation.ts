import type { Schema } from "effect"
import type { ErrorTag } from "../errors/errors.ts"
import type { OptionGroups } from "./option-groups.ts"
import type { StateRule, WorkspaceState } from "./states.ts"

/** A Schema that needs no services; `Encoded` is the JSON side. */
export type PureSchema = Schema.Codec<unknown, unknown>

/** Builds its value at the first call and keeps it: a process pays only for the rows it uses. */
export const lazy = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

/** Why a surface lacks an operation. */
interface Missing {
  readonly missing: string
}

/** A flag of the command line without a field of the payload. */
export type CliExtra =
  /** Names a file of the host, or `-` for stdin, whose content becomes a field. */
  | {
    readonly _tag: "file"
    /** JSON name of the field. */
    readonly fills: string
    readonly as: "text" | "bytes"
    readonly description: string
  }
  /** Names a file of the host, or `-` for stdin, that another operation reads as its input while it runs. */
  | {
    readonly _tag: "input"
    /** Name of the operation that has the input. */
    readonly operation: string
    readonly description: string
  }
  /** Names a path of the host, or `-`, that gets the bytes instead of the display. */
  | {
    readonly _tag: "export"
    /** Name of the operation that exports. */
    readonly operation: string
    readonly description: string
  }
  /** Adds an entry to the field `secrets` whose value is not on the command line. May be given several times. */
  | {
    readonly _tag: "secret"
    /** `docker`: as `docker build --secret` takes it. */
    readonly from: "file" | "environment" | "docker"
    /** The other field that it fills, with logins of registries by host. @default secrets */
    readonly fills?: "registry_auth"
    readonly description: string
  }
  /** Adds to the field `candidates`: from a directory or a file of JSON, from a patch, or a command. May be given several times. */
  | {
    readonly _tag: "candidates"
    readonly from: "place" | "patch" | "command"
    readonly description: string
  }
  /** Maximum of a field of seconds. */
  | {
    readonly _tag: "limit"
    /** JSON name of the field. */
    readonly field: string
    readonly description: string
  }
  /** Chooses the machine whose pyro does the work: the name of a context. */
  | { readonly _tag: "context"; readonly description: string }
  /** Changes how the command line runs or shows the operation. */
  | {
    readonly _tag: "switch"
    readonly description: string
    /** JSON name of a field that the switch sets to true. @default none */
    readonly sets?: string
  }

/** Variables of the caller's environment that fill fields. */
export type VariableOfCaller = "SSH_AUTH_SOCK"

export interface CliSurface {
  /** Words typed after `pyro`. */
  readonly path: readonly [string, ...ReadonlyArray<string>]
  /** Path of the command that shows people the same: this row is for programs, and has no command. @default it has one */
  readonly shownBy?: readonly [string, ...ReadonlyArray<string>]
  /** JSON names of the fields given as positional arguments, in order. */
  readonly args: ReadonlyArray<string>
  /** JSON names of fields with a flag that a word after the arguments may fill as well, in order. A list takes all remaining words. */
  readonly argsOrFlags?: ReadonlyArray<string>
  /** JSON name of the field that takes every word after `--`. */
  readonly rest?: string
  /** Flags whose name is not the field's own, by JSON name. */
  readonly flags?: Readonly<Record<string, string>>
  /** JSON names of the lists whose flag takes all words up to the next flag. */
  readonly greedy?: ReadonlyArray<string>
  /** JSON names of the fields that the CLI fills by itself. */
  readonly filled?: ReadonlyArray<string>
  /** Arguments that a flag replaces: JSON names of both. */
  readonly unless?: Readonly<Record<string, string>>
  /** Arguments that are not needed with one of some flags, and may be given beside it: JSON names of all. An optional flag may be one. */
  readonly neededWithout?: Readonly<Record<string, ReadonlyArray<string>>>
  /** Groups of its options, in the order of the help. A row with many options needs them. @default one group */
  readonly groups?: OptionGroups
  /** Flags without a field, by their names without dashes. */
  readonly extras?: Readonly<Record<string, CliExtra>>
  /** Fields of which one must be given, directly or by a `file` flag. Without one, the flag `stdin` reads stdin, if it is no terminal. */
  readonly oneOf?: { readonly fields: ReadonlyArray<string>; readonly stdin: string }
  /** Name of the operation that gives the bytes as they are, if stdout is no terminal and no option chooses what to display. */
  readonly piped?: string
  /** JSON names of the fields that are paths of the host. The caller makes them absolute: the daemon refuses relative ones. */
  readonly hostPaths?: ReadonlyArray<string>
  /** A field that a variable of the caller's environment fills, if the request has the field `of` and not this one. JSON names. */
  readonly fromVariable?: { readonly field: string; readonly of: string; readonly variable: VariableOfCaller }
  /** JSON names of the fields that may name an archive of an image: TRANSPORT:PATH. The caller makes the path in it absolute. */
  readonly imageSources?: ReadonlyArray<string>
  /** JSON name of the field that may be `-`: stdin then is the operation's input while it runs. */
  readonly input?: string
  /** Whether the operation runs a command, which reads this process's stdin with `--interactive`. @default the row runs none */
  readonly stdin?: "interactive"
  /** JSON name of a boolean field: the CLI asks a person on a terminal before it sends `true`. */
  readonly confirms?: string
  /** Arguments with names of existing objects, by the JSON name of their field. Completion offers the names. */
  readonly completes?: Readonly<Record<string, "contexts" | "saved" | "services" | "snapshots">>
  /** Whose exit status the process leaves with. */
  readonly exits: "guest" | "own"
  /** Command lines worth copying. */
  readonly examples: ReadonlyArray<string>
}

/** A selection of tools that an MCP server is started with. */
export type Profile = "vm-run" | "core" | "full"

/** A field of the payload as an argument of a tool. */
export interface McpArgument {
  /** Its name for a model. @default the field's JSON name; `workspace_id` for `workspace` */
  readonly name?: string
  /** Its description for a model, without flags. @default the field's */
  readonly description?: string
  /** Profiles that have it. @default all */
  readonly visibleIn?: ReadonlyArray<Profile>
  /** Its default, in place of the field's own. */
  readonly default?: string | number | boolean
  /** Its type if the surface itself uses it, such as a cursor or stdin. It needs no field. */
  readonly own?: "text" | "boolean"
  /** Whether it must be given. @default whether the field must, without a `default` here; one of the CLI's `oneOf` must */
  readonly needed?: boolean
  /** It is an argument only of a server that may grant a network. */
  readonly network?: true
  /** It is a path of the host that the operation reads or writes: beneath the bound project, or a directory that the server allows. */
  readonly hostPath?: "read" | "write"
}

export interface McpSurface {
  readonly tool: string
  readonly profiles: ReadonlyArray<Profile>
  /** Its name for people. @default the row's summary */
  readonly title?: string
  /** Description for a model. @default the row's summary */
  readonly description?: string
  /** Arguments by the JSON name of their field, in this order; other fields have their defaults. @default every field */
  readonly arguments?: Readonly<Record<string, McpArgument>>
  /** JSON names of fields, at any depth, that the tool's result omits: every conversation pays for each name. */
  readonly omits?: ReadonlyArray<string>
  /**
   * The tool has no output schema, because its answer may be an image alone: some hosts drop the image beside a structured result, and
   * others refuse a result without the structured half if there is a schema.
   */
  readonly schemaless?: true
  /** Asks hosts that load tools on demand to load this one at once. */
  readonly essential?: true
}

/** What a caller may assume about a call, in MCP's terms. Destructive: no `reset` of the workspace undoes it. */
interface Annotations {
  readonly readOnly: boolean
  readonly destructive: boolean
  readonly idempotent: boolean
  readonly openWorld: boolean
}

/** Gathers a streaming operation's events into its result. */
export interface Folding<Event, Result> {
  readonly add: (event: Event) => void
  /** Undefined before the last event of the operation. */
  readonly result: () => Result | undefined
  /** Output of the operation's command so far. Absent for an operation without a command. */
  readonly output?: () => CommandOutput
}

/** Output of a command, as its result has it. */
export interface CommandOutput {
  readonly stdout: string
  readonly stderr: string
  /** Both in the order of arrival, if the request asks for it. */
  readonly output?: string
  /** Bytes that the command has written. */
  readonly stdoutBytes: number
  readonly stderrBytes: number
  /** The middle of stdout or stderr is left out. */
  readonly truncated: boolean
  /** Bytes that are not UTF-8 were replaced by U+FFFD. */
  readonly lossy: boolean
}

/**
 * What the work of an operation on one workspace gets: the workspace; also its residents; also its running VM, whose loss is explained; or
 * a guest that reads the files of a running or stopped workspace.
 */
export type WorkPlace = "entry" | "residents" | "running" | "reader"

/** `writes` of an operation that always counts as use of the workspace. */
export const always = () => true

interface Common<
  Name extends string,
  Payload extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined,
  Legal extends WorkspaceState,
  Errors extends ReadonlyArray<ErrorTag>
> {
  /** The operation's name and its RPC's tag. */
  readonly name: Name
  /** One line, no full stop. */
  readonly summary: string
  readonly description: string
  readonly cli: CliSurface
  readonly mcp: McpSurface | Missing
  /**
   * Where the CLI runs it. `daemon`: in the daemon, which owns the workspaces and is started for it. `daemon-if-running`: in a daemon that
   * runs anyway, for its pool. `observer`: in a daemon that runs and answers, without starting or keeping it, else in the CLI's process.
   * `host`: in the CLI's process. @default `daemon` for an operation with `states`, else `host`
   */
  readonly home?: "daemon" | "daemon-if-running" | "observer" | "host"
  /** Legal states of the workspace. @default no state matters, or there is no workspace */
  readonly states?: StateRule<Legal>
  /** Place of its work. If its `states` wait, it has the workspace alone. @default it finds its objects and waits by itself */
  readonly on?: Place
  /** Whether it counts as use of the workspace. @default it does not, or its work says so */
  readonly writes?: (payload: Payload["Type"]) => boolean
  /** It makes something new: too little disk space refuses it before its first step. */
  readonly needsRoom?: true
  /** Tags of the errors of its own work, beside those of what surrounds a call (`call-errors.ts`). The compiler compares them with the work. */
  readonly errors: Errors
  readonly annotations: Annotations
  readonly payload: () => Payload
  readonly result: () => Result
  /** Exit status of the CLI after this result. @default 0 */
  readonly exitStatus?: (result: Result["Type"], payload: Payload["Type"]) => number
}

/** One request, one answer. */
export interface Unary<
  Name extends string,
  Payload extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined = undefined,
  Legal extends WorkspaceState = never,
  Errors extends ReadonlyArray<ErrorTag> = ReadonlyArray<ErrorTag>
> extends Common<Name, Payload, Result, Place, Legal, Errors> {
  readonly kind: "unary"
}

/** One request, many events, and a fold from them to the result that JSON shows. */
export interface Streaming<
  Name extends string,
  Payload extends PureSchema,
  Event extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined = undefined,
  Legal extends WorkspaceState = never,
  Errors extends ReadonlyArray<ErrorTag> = ReadonlyArray<ErrorTag>
> extends Common<Name, Payload, Result, Place, Legal, Errors> {
  readonly kind: "streaming"
  readonly event: () => Event
  /** The operation survives its daemon: the client resumes it with the next daemon. It needs an `execId`. */
  readonly resumable?: true
  /**
   * The operation makes workspaces, and the client mints their ids. After a lost answer the client finds them again. `done` makes the
   * last event.
   */
  readonly makes?: {
    readonly count: (payload: Payload["Type"]) => number
    /** Takes the WorkspaceInfo of each. */
    readonly done: (workspaces: ReadonlyArray<never>) => Event["Type"]
  }
  /** The work ends with a lost connection. Without this, it may still be done. */
  readonly endsWithConnection?: true
  readonly fold: (payload: Payload["Type"]) => Folding<Event["Type"], Result["Type"]>
}

/** A row as it is written. Most processes leave with pyro's own status. */
type Written<Row extends { readonly cli: CliSurface }> = Omit<Row, "kind" | "cli"> & {
  readonly cli: Omit<CliSurface, "exits"> & Partial<Pick<CliSurface, "exits">>
}

/** The daemon owns the workspaces, so an operation with states runs there. */
const homeOf = ({ states }: { readonly states?: StateRule }) => states === undefined ? "host" : "daemon"

export const unary = <
  const Name extends string,
  Payload extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined = undefined,
  Legal extends WorkspaceState = never,
  const Errors extends ReadonlyArray<ErrorTag> = readonly []
>(
  row: Written<Unary<Name, Payload, Result, Place, Legal, Errors>>
): Unary<Name, Payload, Result, Place, Legal, Errors> => ({
  kind: "unary",
  home: homeOf(row),
  ...row,
  cli: { exits: "own", ...row.cli }
})

export const streaming = <
  const Name extends string,
  Payload extends PureSchema,
  Event extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined = undefined,
  Legal extends WorkspaceState = never,
  const Errors extends ReadonlyArray<ErrorTag> = readonly []
>(
  row: Written<Streaming<Name, Payload, Event, Result, Place, Legal, Errors>>
): Streaming<Name, Payload, Event, Result, Place, Legal, Errors> => ({
  kind: "streaming",
  home: homeOf(row),
  ...row,
  cli: { exits: "own", ...row.cli }
})
