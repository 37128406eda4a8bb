import { applyPatch, createTwoFilesPatch } from "diff"
import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { HostFileUnusable } from "../../contract/errors/errors.ts"
import { removeFile } from "../../system/files/entries.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import {
  backUp,
  checkWritable,
  type KnownFile,
  missingFolder,
  readKept,
  readKnown,
  removeEmptyFolders,
  removeKnown,
  replaceKnown,
  writeKept
} from "../../system/files/replace.ts"
import type { FormatName } from "../format/document.ts"
import type { HostName, HostScope } from "../hosts/agent-host.ts"

/** pyro's changes to a host's file, so that `disconnect` reverts exactly these. */
const Record = Schema.Struct({
  /** pyro made the file. */
  created: Schema.Boolean,
  /** The topmost directory that pyro made for the file. */
  made: Schema.optional(Schema.String),
  /** Patch from pyro's text to the text before. Absent if a patch cannot restore that text. */
  undo: Schema.optional(Schema.String),
  /** The entry of another program that pyro replaced. It may have secrets, so the record is private to this user. */
  replaced: Schema.optional(Schema.Struct({
    path: Schema.NonEmptyArray(Schema.String),
    value: Schema.Unknown
  })),
  /** Digest of pyro's text, if pyro writes the whole file. */
  wrote: Schema.optional(Schema.String),
  /** The hosts that use a file of several hosts. */
  hosts: Schema.optional(Schema.Array(Schema.String))
})
export type HostFileRecord = typeof Record.Type
export type Replaced = NonNullable<HostFileRecord["replaced"]>

const RecordText = Schema.fromJsonString(Record)

/** Prefix of the paths of pyro's records and backups of a host's file. They are in the state directory, because a project or a dotfiles folder may be shared. */
export const keptPath = (state: string, real: string): string =>
  path.join(
    state,
    "host-files",
    `${createHash("sha256").update(real).digest("hex").slice(0, 12)}-${path.basename(real)}`
  )

const recordFile = (state: string, real: string) => `${keptPath(state, real)}.record`

/** The record of a file. Undefined if there is none, or if this pyro cannot read it. */
export const readRecord = (state: string, real: string): Effect.Effect<HostFileRecord | undefined> =>
  Effect.flatMap(readKept(recordFile(state, real)), (text) =>
    text === undefined
      ? Effect.succeed(undefined)
      : Effect.orElseSucceed(Schema.decodeEffect(RecordText)(text), () => undefined))

const writeRecord = (state: string, real: string, record: HostFileRecord) =>
  writeKept(recordFile(state, real), JSON.stringify(record))

const removeRecord = (state: string, real: string) => removeFile(recordFile(state, real))

/** The record of a file whose content stays. */
export interface RecordChange {
  readonly known: KnownFile
  readonly record: HostFileRecord | undefined
}

/** Changes the record of a file without the file. */
export const settle = (host: HostName, state: string, { known: { path: file, real }, record }: RecordChange) =>
  Effect.mapError(
    record === undefined ? removeRecord(state, real) : writeRecord(state, real, record),
    ({ detail }) => new HostFileUnusable({ host, path: file, detail })
  )

const applied = (text: string, patch: string): string | undefined => {
  const result = applyPatch(text, patch, { autoConvertLineEndings: false })
  return result === false ? undefined : result
}

/** The text without pyro's changes; later changes of other lines stay. Undefined if pyro's lines have changed. */
export const undone = (text: string, { undo }: HostFileRecord): string | undefined =>
  undo === undefined ? undefined : applied(text, undo)

/** The patch that restores the text before. Undefined if no patch can. */
export const undoOf = (text: string, before: string): string | undefined => {
  const patch = createTwoFilesPatch("", "", text, before)
  return applied(text, patch) === before ? patch : undefined
}

/** A configuration file with its value. */
export interface Document {
  readonly known: KnownFile
  readonly format: FormatName
  readonly value: unknown
}

/** One file before and after a change. */
export interface FileChange {
  readonly known: KnownFile
  /** Undefined: the file is removed. */
  readonly after: string | undefined
  /** Only pyro wrote to the file, so it needs no backup. */
  readonly disposable?: boolean
  /** Record for a later `disconnect`. Undefined if the file has nothing of pyro any more. */
  readonly record?: HostFileRecord | undefined
}

/** A changed file, or a file that a dry run would change. */
export interface ChangedFile {
  readonly path: string
  readonly change: "create" | "change" | "remove"
  readonly diff: string
  /** File with the earlier content; absent for a new file and a dry run. */
  readonly backup?: string
}

/** The change of a file as a patch. One line of context: files of settings may have secrets. */
const patchOf = ({ after, known }: FileChange): string =>
  createTwoFilesPatch(known.path, known.path, known.text ?? "", after ?? "", undefined, undefined, { context: 1 })
    .replace(/^Index: .*\n=+\n/, "")

const kindOf = ({ after, known }: FileChange): ChangedFile["change"] =>
  known.text === undefined ? "create" : after === undefined ? "remove" : "change"

export const described = (change: FileChange): ChangedFile => ({
  path: change.known.path,
  change: kindOf(change),
  diff: patchOf(change)
})

const unusable = (host: HostName) => ({ detail, path }: FileFailed) => new HostFileUnusable({ host, path, detail })

/** Mode of new files: settings of a user may get secrets, those of a project are shared. */
const modeFor = (scope: HostScope) => scope === "user" ? 0o600 : 0o644

/** Keeps the record of a file, and removes it with pyro's last change. */
const keep = (state: string, { after, known: { real }, record }: FileChange, missing: string | undefined) =>
  Effect.gen(function*() {
    if (record !== undefined) {
      return yield* writeRecord(state, real, missing === undefined ? record : { ...record, made: missing })
    }
    const made = (yield* readRecord(state, real))?.made
    if (after === undefined && made !== undefined) yield* removeEmptyFolders(real, made)
    yield* removeRecord(state, real)
  })

/**
 * Writes all files of a plan, each after a backup in the state directory. If one fails, the files before it get their old content.
 */
export const write = (
  host: HostName,
  { scope, state }: { readonly scope: HostScope; readonly state: string },
  changes: ReadonlyArray<FileChange>
): Effect.Effect<ReadonlyArray<ChangedFile>, HostFileUnusable> =>
  Effect.gen(function*() {
    yield* Effect.forEach(changes, ({ known }) => checkWritable(known))
    const written: Array<ChangedFile> = []
    const undo: Array<Effect.Effect<void, FileFailed>> = []
    const kept: Array<Effect.Effect<void, FileFailed>> = []
    for (const change of changes) {
      const { after, known } = change
      const backup = change.disposable === true ? undefined : yield* backUp(known, keptPath(state, known.real))
      kept.push(keep(state, change, yield* missingFolder(known.real)))
      const put = after === undefined ? removeKnown(known) : replaceKnown(known, after, modeFor(scope))
      yield* Effect.onError(put, () => Effect.ignore(Effect.all(undo, { discard: true })))
      undo.unshift(Effect.flatMap(readKnown(known.real), (now) =>
        known.text === undefined
          ? removeKnown(now)
          : replaceKnown({ ...now, stat: known.stat }, known.text, modeFor(scope))))
      written.push({ ...described(change), ...(backup === undefined ? {} : { backup }) })
    }
    // The inner directories are removed before the outer ones.
    yield* Effect.all(kept.reverse(), { discard: true })
    return written
  }).pipe(Effect.mapError(unusable(host)), Effect.uninterruptible)
