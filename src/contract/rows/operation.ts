import type { Schema } from "effect"
import type { StateRule } from "./states.ts"

/** A Schema that needs no services; `Encoded` is the JSON side. */
export type PureSchema = Schema.Codec<unknown, unknown>

/** Builds its value at the first call and keeps it: a process pays only for the rows it uses. */
export const lazy = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

/** Why an operation is not offered on a surface. */
export interface Missing {
  readonly missing: string
}

/** A flag of the command line alone: no field of the payload has its value. */
export type CliExtra =
  /** Names a file of the host, or `-` for stdin, whose content becomes a field. */
  | {
    readonly _tag: "file"
    /** JSON name of the field. */
    readonly fills: string
    readonly as: "text" | "bytes"
    readonly description: string
  }
  /** Names a path of the host, or `-`, to which the bytes themselves are exported instead of being shown. */
  | {
    readonly _tag: "export"
    /** Name of the operation that exports. */
    readonly operation: string
    readonly description: string
  }
  /** Gives the field `secrets` an entry, whose value is not on the command line. May be given several times. */
  | {
    readonly _tag: "secret"
    readonly from: "file" | "environment"
    readonly description: string
  }
  /** Seconds that a field of seconds has at most. */
  | {
    readonly _tag: "limit"
    /** JSON name of the field. */
    readonly field: string
    readonly description: string
  }
  /** Changes how it is done or shown on the command line. */
  | {
    readonly _tag: "switch"
    readonly description: string
    /** JSON name of a field that is true with it. @default none */
    readonly sets?: string
  }

export interface CliSurface {
  /** Words typed after `pyro`. */
  readonly path: readonly [string, ...ReadonlyArray<string>]
  /** JSON names of the fields given as positional arguments, in order. */
  readonly args: ReadonlyArray<string>
  /** JSON names of fields with a flag that a word behind the arguments may give as well, in order. A list takes all words that are left. */
  readonly argsOrFlags?: ReadonlyArray<string>
  /** JSON name of the field that takes every word after `--`. */
  readonly rest?: string
  /** Flags whose name is not the field's own, by JSON name. */
  readonly flags?: Readonly<Record<string, string>>
  /** JSON names of the lists whose flag takes all words up to the next flag. */
  readonly greedy?: ReadonlyArray<string>
  /** JSON names of the fields that the CLI fills in by itself. */
  readonly filled?: ReadonlyArray<string>
  /** Arguments that are needed unless a flag is given, which takes their place: JSON names of both. */
  readonly unless?: Readonly<Record<string, string>>
  /** The same, but that they may be given beside the flag. */
  readonly neededWithout?: Readonly<Record<string, string>>
  /** Flags without a field, by their names without dashes. */
  readonly extras?: Readonly<Record<string, CliExtra>>
  /** Fields of which one is given, by itself or by a `file` flag; else stdin, if it is no terminal, is what is given to the flag `stdin`. */
  readonly oneOf?: { readonly fields: ReadonlyArray<string>; readonly stdin: string }
  /** JSON names of the fields that are paths of the host. The caller makes them absolute: the daemon is elsewhere, and refuses others. */
  readonly hostPaths?: ReadonlyArray<string>
  /** Whether the operation runs a command, which reads this process's stdin with `--interactive`. @default the row runs none */
  readonly stdin?: "interactive"
  /** JSON name of a boolean field: the CLI asks a person on a terminal before it sends `true`. */
  readonly confirms?: string
  /** Arguments that name something that exists, by the JSON name of their field: completion offers the names. */
  readonly completes?: Readonly<Record<string, "snapshots">>
  /** Whose exit status the process leaves with. */
  readonly exits: "guest" | "own"
  /** Command lines worth copying. */
  readonly examples: ReadonlyArray<string>
}

/** A selection of tools that an MCP server is started with. */
export type Profile = "vm-run" | "core" | "full"

/** A field of the payload as an argument of a tool. */
export interface McpArgument {
  /** What a model calls it. @default the field's JSON name; `workspace_id` for `workspace` */
  readonly name?: string
  /** What a model is told; it has no flags. @default what the field says of itself */
  readonly description?: string
  /** Profiles in which it can be given. @default all */
  readonly visibleIn?: ReadonlyArray<Profile>
  /** What it is when it is left out, in the place of the field's own default. */
  readonly default?: string | number | boolean
  /** It is this, whatever the field is, and the surface makes of it what the operation takes: a cursor, stdin. It needs no field. */
  readonly own?: "text" | "boolean"
  /** Whether it must be given. @default whether the field must, and has no `default` here; of the CLI's `oneOf`, one must */
  readonly needed?: boolean
  /** It is an argument only of a server that may grant a network. */
  readonly network?: true
  /** It names a path of the host, which the operation reads or writes: beneath the bound project, unless the server was told more. */
  readonly hostPath?: "read" | "write"
}

export interface McpSurface {
  readonly tool: string
  readonly profiles: ReadonlyArray<Profile>
  /** Its name for people. @default the row's summary */
  readonly title?: string
  /** What a model is told. @default the row's summary */
  readonly description?: string
  /** Arguments by the JSON name of their field, in this order; other fields have their defaults. @default every field */
  readonly arguments?: Readonly<Record<string, McpArgument>>
  /** JSON names of fields, at any depth, that the tool's result goes without: each name is paid for in every conversation. */
  readonly omits?: ReadonlyArray<string>
  /**
   * The tool tells no schema of its result, because it may answer with an image and nothing else: some hosts drop the image when a
   * structured result stands beside it, others refuse a result that lacks the structured half when there is a schema.
   */
  readonly schemaless?: true
  /** Hosts that load tools on demand are asked to have this one ready. */
  readonly essential?: true
}

/** What a caller may assume about calling it, in MCP's terms. Destructive is what no `reset` of the workspace takes back. */
interface Annotations {
  readonly readOnly: boolean
  readonly destructive: boolean
  readonly idempotent: boolean
  readonly openWorld: boolean
}

/** Gathers a streaming operation's events into its result. */
export interface Folding<Event, Result> {
  readonly add: (event: Event) => void
  /** Undefined while the event that ends the operation has not been seen. */
  readonly result: () => Result | undefined
  /** Output of the operation's command until now. Absent for an operation without a command. */
  readonly output?: () => CommandOutput
}

/** Output of a command, as its result has it. */
export interface CommandOutput {
  readonly stdout: string
  readonly stderr: string
  /** Bytes that the command has written. */
  readonly stdoutBytes: number
  readonly stderrBytes: number
  /** The middle of stdout or stderr is left out. */
  readonly truncated: boolean
  /** Bytes that are not UTF-8 were replaced by U+FFFD. */
  readonly lossy: boolean
}

/**
 * What the work of an operation on one workspace is given: the workspace; also its residents; also its running VM, with any loss of the
 * VM explained; or a guest that reads the files, running or not.
 */
type WorkPlace = "entry" | "residents" | "running" | "reader"

/** `writes` of an operation that counts as use of the workspace, whatever is asked. */
export const always = () => true

interface Common<
  Name extends string,
  Payload extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined
> {
  /** The operation's name and its RPC's tag. */
  readonly name: Name
  /** One line, no full stop. */
  readonly summary: string
  readonly description: string
  readonly cli: CliSurface
  readonly mcp: McpSurface | Missing
  /**
   * Where the CLI has it done: by the daemon, which has the workspaces and is started for it; by the daemon where one runs anyway,
   * for its pool; by a daemon that runs and answers, which the operation neither starts nor keeps from leaving, else in its own process
   * (observer); or in its own process. @default host
   */
  readonly home?: "daemon" | "daemon-if-running" | "observer" | "host"
  /** In which states of the workspace it is legal. @default no state matters, or there is no workspace */
  readonly states?: StateRule
  /** Where its work runs. One whose `states` wait has the workspace alone. @default it finds by itself what it needs, and waits by itself */
  readonly on?: Place
  /** Whether it counts as use of the workspace. @default it does not, or its work says so */
  readonly writes?: (payload: Payload["Type"]) => boolean
  /** It makes something new: too little disk space refuses it before its first step. */
  readonly needsRoom?: true
  readonly annotations: Annotations
  readonly payload: () => Payload
  readonly result: () => Result
  /** Status that a process leaves with after this result; 0 when there is no such function. */
  readonly exitStatus?: (result: Result["Type"], payload: Payload["Type"]) => number
}

/** One request, one answer. */
interface Unary<
  Name extends string,
  Payload extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined = undefined
> extends Common<Name, Payload, Result, Place> {
  readonly kind: "unary"
}

/** One request, many events, and a fold from them to the result that JSON shows. */
export interface Streaming<
  Name extends string,
  Payload extends PureSchema,
  Event extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined = undefined
> extends Common<Name, Payload, Result, Place> {
  readonly kind: "streaming"
  readonly event: () => Event
  /** The operation survives its daemon: the client goes on with the next daemon. Only an operation with an `execId` can. */
  readonly resumable?: true
  /**
   * The operation makes workspaces, whose ids the client mints. After a lost answer the client finds them again: `done` gives the
   * operation's last event.
   */
  readonly makes?: {
    readonly count: (payload: Payload["Type"]) => number
    /** Takes the WorkspaceInfo of each. */
    readonly done: (workspaces: ReadonlyArray<never>) => Event["Type"]
  }
  /** The work ends if the connection is lost; else it may be done all the same. */
  readonly endsWithConnection?: true
  readonly fold: (payload: Payload["Type"]) => Folding<Event["Type"], Result["Type"]>
}

export const unary = <
  const Name extends string,
  Payload extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined = undefined
>(row: Omit<Unary<Name, Payload, Result, Place>, "kind">): Unary<Name, Payload, Result, Place> => ({
  kind: "unary",
  ...row
})

export const streaming = <
  const Name extends string,
  Payload extends PureSchema,
  Event extends PureSchema,
  Result extends PureSchema,
  Place extends WorkPlace | undefined = undefined
>(
  row: Omit<Streaming<Name, Payload, Event, Result, Place>, "kind">
): Streaming<Name, Payload, Event, Result, Place> => ({
  kind: "streaming",
  ...row
})
