import { Effect, Option, Schema } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { type NoSpace, StateDirectoryUnusable } from "../../contract/errors.ts"
import { byName, named } from "../../contract/names.ts"
import { pathBytes, pathText } from "../../disk/path-text.ts"
import { readJson, writeFileAtomic, writeJsonAtomic } from "../../system/atomic-file.ts"
import { readFile } from "../../system/files/content.ts"
import { exists, linkFile, removeFile } from "../../system/files/entries.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { ensureFolder, listIfPresent } from "../../system/files/folders.ts"
import { toHostErrorOf } from "../../system/files/host-error.ts"

/** What the baseline has at a path since it was pushed: instead of what the seed image has there. */
const Entry = Schema.Union(
  Schema.TaggedStruct("file", {
    /** As git has it. */
    mode: Schema.Literal(0o100644, 0o100755, 0o120000),
    /** Of the content, or of a link's target; names the file that holds it. */
    sha256: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{64}$/)),
    size: Schema.Int,
    /** When the host's file was changed, in nanoseconds. */
    mtimeNs: Schema.String
  }),
  Schema.TaggedStruct("absent", {})
)
export type PushedEntry = typeof Entry.Type

const Record = Schema.Struct({
  format: Schema.Literal(1),
  entries: byName(Entry)
})

/**
 * How a workspace's baseline grows under a live mount: the seed image stays, and over it lies what was pushed, kept on the host
 * where no guest can change it. Whoever compares with the baseline asks here first.
 */
export interface Pushed {
  /** By path in latin1, which is one character for each byte. */
  readonly entries: ReadonlyMap<string, PushedEntry>
  readonly contentOf: (entry: Extract<PushedEntry, { readonly _tag: "file" }>) => Effect.Effect<Buffer, FileFailed>
}

/** What keeps the baseline from being read or written. */
type PushedFailed = NoSpace | StateDirectoryUnusable

const recordOf = (folder: string) => path.join(folder, "pushed.json")
const contentsOf = (folder: string) => path.join(folder, "pushed")

/** What was pushed into the workspace of a folder. */
export const readPushed = (folder: string): Effect.Effect<Pushed, PushedFailed> =>
  readJson(recordOf(folder), Record).pipe(
    Effect.mapError(toHostErrorOf(folder)),
    Effect.map(Option.match({ onNone: () => [], onSome: ({ entries }) => Object.entries(entries) })),
    Effect.map((entries) => ({
      entries: new Map(entries.flatMap(([text, entry]) => {
        const bytes = pathBytes(text)
        return bytes === undefined ? [] : [[Buffer.from(bytes).toString("latin1"), entry] as const]
      })),
      contentOf: ({ sha256 }) => readFile(path.join(contentsOf(folder), sha256))
    }))
  )

/** Content of what was pushed, or the target of a link. */
export const pushedContent = (pushed: Pushed, path: string, entry: Extract<PushedEntry, { readonly _tag: "file" }>) =>
  Effect.mapError(pushed.contentOf(entry), ({ detail }) =>
    new StateDirectoryUnusable({
      path: pathText(Buffer.from(path, "latin1")),
      detail: `what was pushed there is gone: ${detail}`
    }))

/** Keeps a content, before it goes to the guest. */
export const keepContent = (folder: string, content: Uint8Array): Effect.Effect<string, PushedFailed> =>
  Effect.gen(function*() {
    const sha256 = createHash("sha256").update(content).digest("hex")
    const file = path.join(contentsOf(folder), sha256)
    yield* ensureFolder(contentsOf(folder))
    if (!exists(file)) yield* writeFileAtomic(file, content)
    return sha256
  }).pipe(Effect.mapError(toHostErrorOf(folder)))

/** Makes the baseline of another workspace's folder, or a snapshot's, that of this one: contents are shared. */
export const copyPushed = (from: string, to: string): Effect.Effect<void, PushedFailed> =>
  Effect.gen(function*() {
    // The record first: while there is none no content is missed.
    yield* removeFile(recordOf(to))
    if (!exists(recordOf(from))) return
    yield* ensureFolder(contentsOf(to))
    for (const name of yield* listIfPresent(contentsOf(from))) {
      const held = path.join(contentsOf(to), name)
      if (!exists(held)) yield* linkFile(path.join(contentsOf(from), name), held)
    }
    yield* writeFileAtomic(recordOf(to), yield* readFile(recordOf(from)), { durable: true })
  }).pipe(Effect.mapError(toHostErrorOf(to)))

/** Records what the guest has now. What no entry names any more is removed. */
export const writePushed = (
  folder: string,
  entries: ReadonlyMap<string, PushedEntry>
): Effect.Effect<void, PushedFailed> =>
  Effect.gen(function*() {
    const byPath = named(
      [...entries].map(([file, entry]) => [pathText(Buffer.from(file, "latin1")), entry])
    )
    yield* writeJsonAtomic(recordOf(folder), Record, { format: 1 as const, entries: byPath }, { durable: true })
    const used = new Set([...entries.values()].flatMap((entry) => entry._tag === "file" ? [entry.sha256] : []))
    const contents = contentsOf(folder)
    for (const name of yield* listIfPresent(contents)) {
      if (!used.has(name)) yield* removeFile(path.join(contents, name))
    }
  }).pipe(Effect.mapError(toHostErrorOf(folder)))
