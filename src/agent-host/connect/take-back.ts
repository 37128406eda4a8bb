import { Effect, Result } from "effect"
import { HostFileUnusable } from "../../contract/errors/errors.ts"
import { named } from "../../contract/text/names.ts"
import type { KnownFile } from "../../system/files/replace.ts"
import { edit, read } from "../format/format.ts"
import { type Change, isEqual, isTable } from "../format/json.ts"
import type { FormatName } from "../format/language.ts"
import type { AgentHost } from "../hosts/agent-host.ts"
import type { Document, FileChange } from "./file-change.ts"
import { blocked, pending } from "./pending.ts"
import { type HostFileRecord, readRecord, type Replaced, undone, undoOf } from "./record.ts"

interface Target {
  readonly host: AgentHost
  /** pyro's state directory. */
  readonly state: string
  /** Nothing of pyro is to be left in the host's files. */
  readonly isLast: boolean
}

/** What pyro's entry of a file stands in the place of. */
interface Entry {
  readonly replaced: Replaced | undefined
}

/** A value without its empty tables and lists. */
const withoutEmpty = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value
  if (!isTable(value)) return value ?? undefined
  const entries = Object.entries(value).flatMap(([key, one]) => {
    const left = withoutEmpty(one)
    return left === undefined ? [] : [[key, left] as const]
  })
  return entries.length === 0 ? undefined : named(entries)
}

/** Whether two texts say the same, but for empty tables and lists: an edit cannot tell whether a person wrote those. */
const saySame = (format: FormatName, one: string, other: string) => {
  const values = [one, other].map((text) => Result.map(read(format, text), withoutEmpty))
  return values.every(Result.isSuccess) && isEqual(values[0]!.success, values[1]!.success)
}

const isBlank = (text: string) => /^\s*(\{\s*\})?\s*$/.test(text)

/** The record of a file after pyro has written a text: the way back to the text before pyro's first change. */
const nextRecord = (
  known: KnownFile,
  record: HostFileRecord | undefined,
  after: string,
  { replaced }: Entry = { replaced: record?.replaced }
) => {
  const { text = "" } = known
  const before = (record === undefined ? undefined : undone(text, record)) ?? text
  const undo = undoOf(after, before)
  return {
    created: known.text === undefined || record?.created === true,
    ...(record?.made === undefined ? {} : { made: record.made }),
    ...(undo === undefined ? {} : { undo }),
    ...(replaced === undefined ? {} : { replaced })
  } satisfies HostFileRecord
}

const recordOf = (state: string, { real, text }: KnownFile) =>
  text === undefined ? Effect.succeed(undefined) : readRecord(state, real)

/**
 * A configuration file after its changes. A file that loses what pyro wrote gets the text from before pyro's first change, byte for byte, as far
 * as no other program has changed pyro's lines.
 */
export const changeOf = (
  { host, isLast, state }: Target,
  { format, known, value }: Document,
  changes: ReadonlyArray<Change>,
  entry?: Entry
): Effect.Effect<FileChange, HostFileUnusable> =>
  Effect.gen(function*() {
    const refuse = (detail: string) => new HostFileUnusable({ host: host.name, path: known.path, detail })
    const left = pending(value, changes)
    const inTheWay = blocked(value, left)
    if (inTheWay !== undefined) return yield* refuse(`${inTheWay} has another form than pyro knows`)
    if (left.length === 0) return { known, after: known.text }
    const edited = yield* Effect.mapError(Effect.fromResult(edit(format, known.text ?? "", left)), refuse)
    const record = yield* recordOf(state, known)
    const loses = isLast || left.every(({ _tag }) => _tag === "remove" || _tag === "take")
    const before = loses && record !== undefined ? undone(known.text ?? "", record) : undefined
    const isBack = before !== undefined && saySame(format, before, edited)
    const after = isBack ? before : edited
    if (loses && isBlank(after) && known.real === known.path && record?.created !== false) {
      return { known, after: undefined, disposable: true }
    }
    return isBack || isLast ? { known, after } : { known, after, record: nextRecord(known, record, after, entry) }
  })

/** A file that is pyro's alone, with another text or none. */
export const ownChange = (state: string, known: KnownFile, text: string | undefined): Effect.Effect<FileChange> =>
  Effect.map(recordOf(state, known), (record) =>
    text !== undefined
      ? { known, after: text, record: nextRecord(known, record, text) }
      : { known, after: record?.created === false ? undone(known.text ?? "", record) : undefined })
