import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import { type NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK } from "../../../contract/text/git-mode.ts"
import { byName, named } from "../../../contract/text/names.ts"
import { pathBytes, pathText } from "../../../contract/text/path-text.ts"
import { readJson, writeFileAtomic, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { readFile } from "../../../system/files/content.ts"
import { ensureFolder, exists, linkFile, listIfPresent, removeFile, statFile } from "../../../system/files/entries.ts"
import { type FileFailed, toHostErrorOf } from "../../../system/files/failure.ts"
import { contentsOf, type Kept } from "./kept.ts"
import { OuterRules } from "./outer-rules.ts"

/**
 * A pushed entry of the baseline, which replaces the seed image's entry. `applied`: the workspace's own change, which the host has since an
 * apply.
 */
const Entry = Schema.Union([
  Schema.TaggedStruct("file", {
    /** Mode as in git. */
    mode: Schema.Literals([GIT_FILE, GIT_EXECUTABLE, GIT_LINK]),
    /** Digest of the content or of a link's target, which names the content's file. */
    sha256: Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{64}$/))),
    size: Schema.Int,
    /** When the host's file was changed, in nanoseconds. */
    mtimeNs: Schema.String,
    applied: Schema.optionalKey(Schema.Literal(true))
  }),
  Schema.TaggedStruct("absent", { applied: Schema.optionalKey(Schema.Literal(true)) })
])
export type PushedEntry = typeof Entry.Type

const Record = Schema.Struct({
  format: Schema.Literal(1),
  entries: byName(Entry),
  rules: Schema.optionalKey(OuterRules)
})

/**
 * The baseline's changes under a live mount: the seed image stays, and pushed files lie over it, on the host beyond the guest's
 * reach. Every comparison with the baseline reads them first.
 */
export interface Pushed {
  /** Entries by path in latin1, with one character for each byte. */
  readonly entries: ReadonlyMap<string, PushedEntry>
  readonly contentOf: (entry: PushedFile) => Effect.Effect<Buffer, FileFailed>
  /** Where the content is, for a file of any size. */
  readonly keptOf: (entry: PushedFile) => Kept
  /** Rules of git that no file of the baseline has, as the host had them at the creation or at the last push. @default none */
  readonly rules?: OuterRules | undefined
}

export type PushedFile = Extract<PushedEntry, { readonly _tag: "file" }>

/** A baseline without pushed files. */
export const nothingPushed: Pushed = {
  entries: new Map(),
  contentOf: () => Effect.succeed(Buffer.alloc(0)),
  keptOf: ({ sha256, size }) => ({ file: "", sha256, size })
}

/** A path within a tree, in latin1. */
export const nameOf = ({ buffer, byteLength, byteOffset }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString("latin1")

/** The directories above a path, the outermost first. */
export const parentsOf = (name: string): ReadonlyArray<string> =>
  [...name.matchAll(/\//g)].map(({ index }) => name.slice(0, index))

export const withinGit = (name: string) => name.split("/").includes(".git")

/** Errors of reading or writing the baseline. */
type PushedFailed = NoSpace | StateDirectoryUnusable

const recordOf = (folder: string) => path.join(folder, "pushed.json")

/** Pushed files of a workspace's folder. */
export const readPushed = (folder: string): Effect.Effect<Pushed, PushedFailed> =>
  readJson(recordOf(folder), Record).pipe(
    Effect.mapError(toHostErrorOf(folder)),
    Effect.map((record) => ({
      rules: Option.getOrUndefined(record)?.rules,
      entries: new Map(
        Object.entries(Option.getOrUndefined(record)?.entries ?? {}).flatMap(([text, entry]) => {
          const bytes = pathBytes(text)
          return bytes === undefined ? [] : [[Buffer.from(bytes).toString("latin1"), entry] as const]
        })
      ),
      contentOf: ({ sha256 }) => readFile(path.join(contentsOf(folder), sha256)),
      keptOf: ({ sha256, size }) => ({ file: path.join(contentsOf(folder), sha256), sha256, size })
    }))
  )

/** Content of a pushed file, or target of a link. */
export const pushedContent = (pushed: Pushed, path: string, entry: PushedFile) =>
  Effect.mapError(pushed.contentOf(entry), ({ detail }) => pushedGone(path, detail))

const pushedGone = (path: string, detail: string) =>
  new StateDirectoryUnusable({
    path: pathText(Buffer.from(path, "latin1")),
    detail: `what was pushed there is gone: ${detail}`
  })

/** The kept content of a pushed file, which is whole. */
export const pushedKept = (
  pushed: Pushed,
  path: string,
  entry: PushedFile
): Effect.Effect<Kept, StateDirectoryUnusable> =>
  Effect.gen(function*() {
    const kept = pushed.keptOf(entry)
    const stat = yield* Effect.mapError(statFile(kept.file), ({ detail }) => pushedGone(path, detail))
    if (stat?.size === kept.size) return kept
    return yield* pushedGone(path, `${kept.file} has ${stat?.size ?? "no"} bytes instead of ${kept.size}`)
  })

const linkContents = (from: string, to: string) =>
  Effect.gen(function*() {
    yield* ensureFolder(contentsOf(to))
    for (const name of yield* listIfPresent(contentsOf(from))) {
      const link = path.join(contentsOf(to), name)
      if (!exists(link)) yield* linkFile(path.join(contentsOf(from), name), link)
    }
  })

/** Copies the baseline of another workspace's folder, or a snapshot's, to this one. Contents are shared. */
export const copyPushed = (from: string, to: string): Effect.Effect<void, PushedFailed> =>
  Effect.gen(function*() {
    // The record goes first: without it, no content is missing.
    yield* removeFile(recordOf(to))
    if (!exists(recordOf(from))) return
    yield* linkContents(from, to)
    yield* writeFileAtomic(recordOf(to), yield* readFile(recordOf(from)), { durable: true })
  }).pipe(Effect.mapError(toHostErrorOf(to)))

/**
 * Copies the baseline of a snapshot or a point to this folder. Entries that were applied to the host since then stay: the host has them in any case.
 */
export const returnPushed = (from: string, to: string): Effect.Effect<void, PushedFailed> =>
  Effect.gen(function*() {
    const { entries, rules } = yield* readPushed(to)
    const applied = [...entries].filter(([, { applied }]) => applied === true)
    if (applied.length === 0) return yield* copyPushed(from, to)
    // The record stays until the next one replaces it: a repetition after a crash finds what was applied.
    yield* Effect.mapError(linkContents(from, to), toHostErrorOf(to))
    yield* writePushed(to, { entries: new Map([...(yield* readPushed(from)).entries, ...applied]), rules })
  })

/** Removes contents that no entry names. */
export const sweepPushed = (
  folder: string,
  entries: ReadonlyMap<string, PushedEntry>
): Effect.Effect<void, PushedFailed> =>
  Effect.gen(function*() {
    const used = new Set([...entries.values()].flatMap((entry) => entry._tag === "file" ? [entry.sha256] : []))
    const contents = contentsOf(folder)
    for (const name of yield* listIfPresent(contents)) {
      if (!used.has(name)) yield* removeFile(path.join(contents, name))
    }
  }).pipe(Effect.mapError(toHostErrorOf(folder)))

/** Records the pushed files and the rules, and removes contents that no entry names. */
export const writePushed = (
  folder: string,
  { entries, rules }: Pick<Pushed, "entries" | "rules">
): Effect.Effect<void, PushedFailed> =>
  Effect.gen(function*() {
    const byPath = named(
      [...entries].map(([file, entry]) => [pathText(Buffer.from(file, "latin1")), entry])
    )
    const record = { format: 1 as const, entries: byPath, ...(rules === undefined ? {} : { rules }) }
    yield* writeJsonAtomic(recordOf(folder), Record, record, { durable: true })
  }).pipe(Effect.mapError(toHostErrorOf(folder)), Effect.andThen(sweepPushed(folder, entries)))
