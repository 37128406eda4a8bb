import type { SelectionName } from "../profile.ts"

/** One option of `pyro mcp serve`. */
export interface RecordedFlag {
  /** With its dashes. */
  readonly name: string
  /** The option's field, as TypeScript spells it. */
  readonly field: string
  /** `list` may be repeated; a list of words is the values that are allowed. */
  readonly takes: "nothing" | "text" | "list" | ReadonlyArray<string>
}

/** Answers of the server of a profile or a mode to requests that need no daemon. */
export interface RecordedSelection {
  /** Result of `initialize` for an unknown revision. `instructions` are those without a project. */
  readonly initialize: { readonly protocolVersion: string } & Readonly<Record<string, unknown>>
  /** Result of `server/discover`. */
  readonly discover: Readonly<Record<string, unknown>>
  /** Results by method, as JSON: for clients that sent `initialize`, and for those of the revision that has none. */
  readonly legacy: Readonly<Record<string, string>>
  readonly modern: Readonly<Record<string, string>>
  /** Results that differ for a server that may grant a network. */
  readonly networked: {
    readonly legacy: Readonly<Record<string, string>>
    readonly modern: Readonly<Record<string, string>>
  }
}

/** The source of the first answers. The build records it from the server itself. */
export interface Recorded {
  readonly flags: ReadonlyArray<RecordedFlag>
  /** Revisions of the protocol that begin with `initialize`. */
  readonly legacyVersions: ReadonlyArray<string>
  /** The revision that begins without one. */
  readonly modernVersion: string
  readonly selections: Readonly<Record<SelectionName, RecordedSelection>>
}

/** The same in the handshake's own file. The answers are in another file, because a server needs those of one selection. */
export interface RecordedIndex extends Omit<Recorded, "selections"> {
  /** Name of the file beside the handshake's. */
  readonly answersFile: string
  /** JSON of each selection in the file: offset and size in bytes. */
  readonly selections: Readonly<Record<SelectionName, readonly [offset: number, sizeBytes: number]>>
}
