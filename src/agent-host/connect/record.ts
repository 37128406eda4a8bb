import { applyPatch, createTwoFilesPatch } from "diff"
import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { readKept, removeKept, writeKept } from "../../system/files/kept-text.ts"

/** What pyro did to a host's file, so that `disconnect` takes back exactly that. */
const Record = Schema.Struct({
  /** pyro made the file. */
  created: Schema.Boolean,
  /** The topmost directory that pyro made for the file. */
  made: Schema.optional(Schema.String),
  /** Patch from the text that pyro wrote to the text before; absent if no patch leads there. */
  undo: Schema.optional(Schema.String),
  /** The entry of another program that stood in the place of pyro's. The file may have its values, so nobody else reads this one. */
  replaced: Schema.optional(Schema.Struct({
    path: Schema.NonEmptyArray(Schema.String),
    value: Schema.Unknown
  }))
})
export type HostFileRecord = typeof Record.Type
export type Replaced = NonNullable<HostFileRecord["replaced"]>

const RecordText = Schema.fromJsonString(Record)

/** Beginning of the paths of what pyro keeps about a file of a host: in the state directory, because a project or a dotfiles folder is no place for it. */
export const keptPath = (state: string, real: string): string =>
  path.join(
    state,
    "host-files",
    `${createHash("sha256").update(real).digest("hex").slice(0, 12)}-${path.basename(real)}`
  )

const recordFile = (state: string, real: string) => `${keptPath(state, real)}.record`

/** The record of a file; undefined if there is none that this pyro can read. */
export const readRecord = (state: string, real: string): Effect.Effect<HostFileRecord | undefined> =>
  Effect.flatMap(readKept(recordFile(state, real)), (text) =>
    text === undefined
      ? Effect.succeed(undefined)
      : Effect.orElseSucceed(Schema.decodeEffect(RecordText)(text), () => undefined))

export const writeRecord = (state: string, real: string, record: HostFileRecord) =>
  writeKept(recordFile(state, real), JSON.stringify(record))

export const removeRecord = (state: string, real: string) => removeKept(recordFile(state, real))

const applied = (text: string, patch: string): string | undefined => {
  const result = applyPatch(text, patch, { autoConvertLineEndings: false })
  return result === false ? undefined : result
}

/** The text before pyro's changes, also if other lines have changed since. Undefined if pyro's lines have changed. */
export const undone = (text: string, { undo }: HostFileRecord): string | undefined =>
  undo === undefined ? undefined : applied(text, undo)

/** The patch that takes a text back to the one before. */
export const undoOf = (text: string, before: string): string | undefined => {
  const patch = createTwoFilesPatch("", "", text, before)
  return applied(text, patch) === before ? patch : undefined
}
