import { Effect, Result } from "effect"
import { HostFileUnusable } from "../../contract/errors/errors.ts"
import { named } from "../../contract/text/names.ts"
import type { KnownFile } from "../../system/files/replace.ts"
import {
  at,
  type Change,
  changed,
  type FormatName,
  isEqual,
  isTable,
  type Json,
  type Path
} from "../format/document.ts"
import { edit, read } from "../format/format.ts"
import type { AgentHost } from "../hosts/agent-host.ts"
import {
  type Document,
  type FileChange,
  type HostFileRecord,
  readRecord,
  type Replaced,
  undone,
  undoOf
} from "./host-files.ts"

/** The changes that a document does not have yet. A removal also removes the tables and lists that it leaves empty. */
export const pending = (value: unknown, changes: ReadonlyArray<Change>): ReadonlyArray<Change> => {
  const left: Array<Change> = []
  let current = value
  for (const change of changes) {
    const next = stillNeeded(current, change)
    if (next === undefined) continue
    left.push(next)
    current = changed(current, next)
  }
  return left
}

const hasItem = (list: unknown, item: Json) => Array.isArray(list) && list.some((one) => isEqual(one, item))

const stillNeeded = (value: unknown, change: Change): Change | undefined => {
  const found = at(value, change.path)
  switch (change._tag) {
    case "set":
      return isEqual(found, change.value) ? undefined : change
    case "remove":
      return found === undefined ? undefined : { _tag: "remove", path: withEmptyParents(value, change.path) }
    case "add":
      return hasItem(found, change.item) ? undefined : change
    case "take":
      return !Array.isArray(found) || !hasItem(found, change.item)
        ? undefined
        : found.length === 1
        ? { _tag: "remove", path: withEmptyParents(value, change.path) }
        : change
  }
}

const withEmptyParents = (value: unknown, path: Path): Path => {
  const parent = path.slice(0, -1)
  const [first, ...rest] = parent
  const table = at(value, parent)
  return first !== undefined && isTable(table) && Object.keys(table).length === 1
    ? withEmptyParents(value, [first, ...rest])
    : path
}

/** The path of a value that blocks a change, because the value is no table or no list. */
const blocked = (value: unknown, changes: ReadonlyArray<Change>): string | undefined => {
  for (const { _tag, path } of changes) {
    for (let length = 1; length < path.length; length += 1) {
      const found = at(value, path.slice(0, length))
      if (found !== undefined && found !== null && !isTable(found)) return path.slice(0, length).join(".")
    }
    const list = at(value, path) ?? []
    if (_tag === "add" && !Array.isArray(list)) return path.join(".")
  }
  return undefined
}

interface Target {
  readonly host: AgentHost
  /** pyro's state directory. */
  readonly state: string
  /** The change removes everything of pyro from the host's files. */
  readonly isLast: boolean
}

/** The foreign entry that pyro's entry replaces. */
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

/** Whether two texts have the same value, apart from empty tables and lists: an edit does not know whether a person wrote those. */
const saySame = (format: FormatName, one: string, other: string) => {
  const values = [one, other].map((text) => Result.map(read(format, text), withoutEmpty))
  return values.every(Result.isSuccess) && isEqual(values[0]!.success, values[1]!.success)
}

const isBlank = (text: string) => /^\s*(\{\s*\})?\s*$/.test(text)

/** The record of a file after pyro has written a text. It leads back to the text before pyro's first change. */
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
 * A configuration file after its changes. A file that loses pyro's text gets the text from before pyro's first change, byte for byte, as far
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

/** A change of a file that only pyro writes. Without a text, the file is removed or restored. */
export const ownChange = (state: string, known: KnownFile, text: string | undefined): Effect.Effect<FileChange> =>
  Effect.map(recordOf(state, known), (record) =>
    text !== undefined
      ? { known, after: text, record: nextRecord(known, record, text) }
      : { known, after: record?.created === false ? undone(known.text ?? "", record) : undefined })
