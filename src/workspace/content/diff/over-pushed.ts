import { Effect, Stream } from "effect"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import type { ComparedSide } from "../../../lib/guest-channel/model/files.ts"
import { hasKept } from "../../../lib/seeding/model/kept.ts"
import { parentsOf, type Pushed, pushedContent, type PushedEntry } from "../../../lib/seeding/model/pushed.ts"
import { refused } from "../../life/guest/baseline.ts"
import { batchesOf } from "../batches.ts"
import type { Candidate, Sources } from "./candidates.ts"
import { readContents, type ReadResult } from "./contents.ts"

const NO_LINK = new Uint8Array(0)
/** Maximum bytes of the guest's contents in memory at once, for the comparison with pushed files. */
const BATCH_BYTES = 32 * 1024 * 1024
const MAX_FILE_BYTES = 64 * 1024 * 1024

const directory: ComparedSide = { type: "directory", mode: 0o755, size: 0, linkTarget: NO_LINK }

const oldSide = (pushed: Pushed, path: string, entry: PushedEntry) => {
  if (entry._tag === "absent") return Effect.succeed(undefined)
  const { mode, size } = entry
  return mode === GIT_LINK
    ? Effect.map(
      pushedContent(pushed, path, entry),
      (linkTarget): ComparedSide => ({ type: "symlink", mode: 0o777, size, linkTarget })
    )
    : Effect.succeed<ComparedSide>({ type: "file", mode: mode & 0o777, size, linkTarget: NO_LINK })
}

/** Directories above pushed files. */
const parentsIn = (pushed: Pushed) => {
  const parents = new Set<string>()
  for (const [path, entry] of pushed.entries) {
    if (entry._tag === "absent") continue
    for (const parent of parentsOf(path)) parents.add(parent)
  }
  return parents
}

/**
 * Differences from the current baseline. At a pushed path, the old side is the pushed file, not the seed image's. No
 * difference if the live tree has the pushed file.
 */
export const overPushed = (
  sources: Sources,
  found: ReadonlyArray<Candidate>
) =>
  Effect.gen(function*() {
    const { pushed } = sources
    if (pushed.entries.size === 0) return found
    const parents = parentsIn(pushed)
    const others = found.filter(({ path }) => !pushed.entries.has(path)).map((one) =>
      one.old === undefined && parents.has(one.path) ? { ...one, old: directory } : one
    )
    const live = new Map(found.map((one) => [one.path, one.new]))
    const asSeeded = new Set([...pushed.entries.keys()].filter((path) => !live.has(path)))
    if (asSeeded.size > 0) yield* addLive(sources, asSeeded, live)
    const candidates: Array<Candidate> = []
    for (const [path, entry] of pushed.entries) {
      const before = entry._tag === "absent" && parents.has(path) ? directory : yield* oldSide(pushed, path, entry)
      const [old, after] = [before, live.get(path)]
      if (old !== undefined || after !== undefined) candidates.push({ path, old, new: after })
    }
    const same = yield* unchanged(sources, candidates)
    return [...others, ...candidates.filter(({ path }) => !same.has(path))]
  })

/** Adds the files at paths where the live tree equals the seed image: a command restored them after the push. */
const addLive = (
  { channel, trees }: Sources,
  paths: ReadonlySet<string>,
  live: Map<string, ComparedSide | undefined>
) =>
  channel.walk(trees.live).pipe(
    Stream.runForEach((entry) =>
      Effect.sync(() => {
        const path = Buffer.from(entry.path).toString("latin1")
        if (paths.has(path)) live.set(path, entry)
      })
    ),
    Effect.catchTag("AgentCallFailed", (failure) => Effect.fail(refused("/workspace")(failure)))
  )

const below = (folder: string, path: string) => folder === "" ? path : `${folder}/${path}`

/** Paths at which the live tree has the pushed content. Reads contents, because no time of the guest is trusted. */
const unchanged = ({ channel, pushed, trees }: Sources, candidates: ReadonlyArray<Candidate>) =>
  Effect.gen(function*() {
    const same = new Set<string>()
    const equal = (path: string, content: ReadResult | undefined) =>
      Effect.gen(function*() {
        const entry = pushed.entries.get(path)
        if (entry?._tag !== "file" || typeof content !== "object") return
        if (Buffer.compare(yield* pushedContent(pushed, path, entry), content) === 0) same.add(path)
      })
    const large: Array<string> = []
    const files: Array<{ readonly path: string; readonly size: number }> = []
    for (const { new: after, old, path } of candidates) {
      if (old?.type === "symlink" && after?.type === "symlink") yield* equal(path, after.linkTarget)
      if (old?.type !== "file" || after?.type !== "file" || old.size !== after.size) continue
      if ((old.mode & 0o100) !== (after.mode & 0o100)) continue
      if (old.size > MAX_FILE_BYTES) large.push(path)
      else files.push({ path, size: old.size })
    }
    for (const path of large) {
      const entry = pushed.entries.get(path)
      if (entry?._tag !== "file") continue
      const place = { root: trees.live.root, path: Buffer.from(below(trees.live.path, path), "latin1") }
      // The guest may have removed the file meanwhile.
      if (yield* Effect.catchTag(hasKept(channel, place, entry), "AgentCallFailed", () => Effect.succeed(false))) {
        same.add(path)
      }
    }
    for (const batch of batchesOf(files, ({ size }) => size, { bytes: BATCH_BYTES })) {
      const limits = { fileBytes: MAX_FILE_BYTES, total: { left: BATCH_BYTES + MAX_FILE_BYTES } }
      const contents = yield* readContents(channel, trees.live, batch.map(({ path }) => path), limits)
      for (const [path, content] of contents) yield* equal(path, content)
    }
    return same
  })
