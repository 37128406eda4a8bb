import { Effect, Option, Stream } from "effect"
import * as path from "node:path"
import { type ChannelFailed, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import { type NextStep, words } from "../../../contract/errors/next-step.ts"
import { allowing, fewerEntries } from "../../../contract/rows/larger.ts"
import type { Imported, ImportPayload } from "../../../contract/rows/workspace-import.ts"
import { firstOf } from "../../../contract/text/first-of.ts"
import { sizeText } from "../../../contract/text/host-file-notes.ts"
import { pathBytes, pathText } from "../../../contract/text/path-text.ts"
import {
  componentsOf,
  pathOf,
  wholeGuest,
  type WorkspacePath,
  workspacePath
} from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { WalkEntry } from "../../../lib/guest-channel/model/files.ts"
import { demandNarrow } from "../../../lib/seeding/model/source.ts"
import { withoutLinks } from "../files/links.ts"
import { fileFailure } from "../files/open.ts"
import { contentOf, listSource, type Source, type SourceEntry } from "./source.ts"

/** Limits of the list in the report. */
const reported = { most: 1000, maxBytes: 4 * 1024 * 1024 }

const MIB = 1024 * 1024

/** Permission bits of a file that comes from a stream. */
const STREAM_MODE = 0o644

const LESS = "Copy less of it"

const demandBounded = ({ entries, root, skipped }: Source, { maxEntries, maxMib }: ImportPayload) =>
  Effect.suspend(() => {
    const refused = (detail: string, ...next: ReadonlyArray<NextStep>) =>
      Effect.fail(new InvalidRequest({ field: "source_path", detail: `${root} ${detail}`, next }))
    const bytes = entries.reduce((sum, { size }) => sum + size, 0)
    if (entries.length + skipped.length > maxEntries) {
      return refused(
        `has more than ${maxEntries} entries`,
        ...fewerEntries(LESS, maxEntries)
      )
    }
    return bytes > maxMib * MIB
      ? refused(
        `has ${sizeText(bytes)}, more than ${maxMib} MiB`,
        allowing(LESS, "max_mib", Math.ceil(bytes / MIB))
      )
      : Effect.void
  })

/** Copies a file or directory of the host to a path of a running guest, file by file. */
export const importFiles = (
  channel: GuestChannel,
  payload: ImportPayload
) =>
  Effect.gen(function*() {
    if ((payload.sourcePath === "-") !== (payload.content !== undefined)) {
      return yield* new InvalidRequest({ field: "content", detail: "goes with the source -, and with no other" })
    }
    if (payload.content !== undefined) return yield* importContent(channel, payload.path, payload.content)
    yield* demandNarrow("source_path", payload.sourcePath, payload.allowHome)
    const source = yield* listSource(payload.sourcePath)
    yield* demandBounded(source, payload)
    // The name is the last component of the caller's path, also if the source is a link.
    const name = payload.unnamed === true
      ? undefined
      : Buffer.from(path.basename(payload.sourcePath)).toString("latin1")
    const target = yield* targetOf(channel, payload.path, name, source.kind)
    const skipped = [...source.skipped]
    const count = { files: 0, symlinks: 0, bytes: 0 }
    const times = { kept: payload.preserveTimes }
    for (const entry of source.entries) {
      const problem = yield* copy(channel, source, entry, target, times)
      if (problem !== undefined) skipped.push({ path: pathText(entry.path), reason: problem })
      else if (entry.target !== undefined) count.symlinks++
      else {
        count.files++
        count.bytes += entry.size
      }
    }
    const imported: Imported = {
      path: target.text,
      kind: source.kind,
      ...count,
      skippedCount: skipped.length,
      skipped: firstOf(skipped, reported),
      ...(payload.preserveTimes && !times.kept ? { warnings: [{ message: TIMES_LOST }] } : {})
    }
    return imported
  })

const TIMES_LOST =
  "the copies have the time of their writing: an older pyro started this workspace, and its guest cannot set " +
  "times; stop and start the workspace, and copy again"

const importContent = (channel: GuestChannel, asked: string, content: Uint8Array) =>
  Effect.gen(function*() {
    const target = yield* targetOf(channel, asked, undefined, "file")
    const pieces = content.length === 0 ? Stream.empty : Stream.make(content)
    yield* Effect.catchTag(
      write(channel, target, STREAM_MODE, pieces),
      "AgentCallFailed",
      fileFailure(target.text, wholeGuest)
    )
    const imported: Imported = {
      path: target.text,
      kind: "file",
      files: 1,
      symlinks: 0,
      bytes: content.length,
      skippedCount: 0,
      skipped: []
    }
    return imported
  })

const write = <E>(
  channel: GuestChannel,
  { bytes }: WorkspacePath,
  mode: number,
  content: Stream.Stream<Uint8Array, E>,
  mtimeNs?: bigint
) => channel.write({ root: wholeGuest.root, path: bytes, mode, createParents: true, follow: true, mtimeNs }, content)

/** Whether files keep their times. The agent of a microVM that an older pyro started cannot set them. */
interface Times {
  kept: boolean
}

/** Writes a file with its time, or without if the agent refuses the time. */
const writeTimed = (channel: GuestChannel, root: string, entry: SourceEntry, at: WorkspacePath, times: Times) => {
  const plain = Effect.suspend(() => write(channel, at, entry.mode, contentOf(root, entry)))
  if (!times.kept) return plain
  return write(channel, at, entry.mode, contentOf(root, entry), entry.mtimeNs).pipe(
    Effect.catchIf(
      (failure) => failure._tag === "AgentCallFailed" && failure.errno === "ESTALE",
      () => Effect.suspend(() => ((times.kept = false), plain))
    )
  )
}

/** Copies one entry. Returns the reason if a copy of a directory omits it. A single file is never omitted. */
const copy = (
  channel: GuestChannel,
  { kind, root }: Source,
  entry: SourceEntry,
  target: WorkspacePath,
  times: Times
) => {
  const at = pathOf([...componentsOf(target.bytes), ...componentsOf(entry.path)], wholeGuest)
  const work = entry.target === undefined
    ? writeTimed(channel, root, entry, at, times)
    : channel.changeFiles(wholeGuest.root, [{ _tag: "link", path: at.bytes, target: entry.target }])
  return work.pipe(
    Effect.as(undefined),
    Effect.catchTags({
      Unreadable: ({ reason }) =>
        kind === "directory"
          ? Effect.succeed(`it cannot be read: ${reason}`)
          : Effect.fail(new FileRefused({ path: root, reason: "failed", detail: `it cannot be read: ${reason}` })),
      AgentCallFailed: (failure) =>
        entry.target !== undefined && failure.errno === "EEXIST"
          ? Effect.succeed("the workspace has something there, and no link replaces it")
          : Effect.fail(fileFailure(at.text, wholeGuest)(failure))
    })
  )
}

const SLASH = 0x2f

/** A requested path of the whole guest; a relative one is relative to /workspace. */
const guestPathOf = (text: string): Effect.Effect<WorkspacePath, FileRefused | InvalidRequest> => {
  const bytes = pathBytes(text)
  return bytes === undefined || bytes[0] === SLASH || text.startsWith("\"")
    ? workspacePath(text, wholeGuest)
    : workspacePath(`/workspace/${text}`, wholeGuest)
}

/** Type of the entry at a path without links. `undefined` for a missing entry. */
const typeAt = (
  channel: GuestChannel,
  path: WorkspacePath
): Effect.Effect<WalkEntry["type"] | undefined, ChannelFailed | FileRefused> => {
  const components = componentsOf(path.bytes)
  const name = components.at(-1)
  if (name === undefined) return Effect.succeed("directory")
  const above = pathOf(components.slice(0, -1), wholeGuest)
  return channel.walk({ root: wholeGuest.root, path: above.bytes, maxDepth: 1 }).pipe(
    Stream.filter((entry) => Buffer.from(entry.path).toString("latin1") === name),
    Stream.runHead,
    Effect.map((found) => Option.getOrUndefined(found)?.type),
    Effect.catchTag(
      "AgentCallFailed",
      (failure) => failure.errno === "ENOENT" ? Effect.succeed(undefined) : fileFailure(above.text, wholeGuest)(failure)
    )
  )
}

/**
 * Target of a copy, without links on the way: the requested path, or the source's name in it if the path is a directory or ends with
 * `/`. `name` is undefined for a content without a name.
 */
const targetOf = (channel: GuestChannel, asked: string, name: string | undefined, kind: "file" | "directory") =>
  Effect.gen(function*() {
    const path = yield* withoutLinks(channel, yield* guestPathOf(asked), wholeGuest)
    const there = yield* typeAt(channel, path)
    const asDirectory = there === "directory" || /(^|\/)\.{0,2}$/.test(asked)
    if (!asDirectory) {
      return kind === "directory" && there !== undefined
        ? yield* new FileRefused({
          path: path.text,
          reason: "not_a_directory",
          detail: `the workspace has a ${there} there, and a directory replaces none`,
          next: [words("Remove it there first, or name another path")]
        })
        : path
    }
    if (name === undefined) {
      return yield* new FileRefused({
        path: path.text,
        reason: "is_a_directory",
        detail: "names a directory",
        next: [words("Name the file in it")]
      })
    }
    return pathOf([...componentsOf(path.bytes), name], wholeGuest)
  })
