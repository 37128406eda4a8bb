import { Effect } from "effect"
import type { ComparedSide } from "../../../lib/guest-channel/model/files.ts"
import { readPushed } from "../../../lib/seeding/model/pushed.ts"
import type { Pushed } from "../../../lib/seeding/model/pushed.ts"
import { inodeOf } from "../../../system/files/entries.ts"
import { toHostError } from "../../../system/files/failure.ts"
import type { Entry } from "../../entry/entry.ts"
import { naming } from "../../entry/named-error.ts"
import { type Trees, workspaceTrees } from "../../life/guest/baseline.ts"
import { openDiskReader, openReader, type Reader } from "../../life/read/reader.ts"
import { beneath, type Candidate, collectCandidates, mountedAt } from "../diff/candidates.ts"
import { type ChangesOptions, withContents } from "../diff/changes.ts"
import { missingIn, namedPaths, readContents, type ReadLimits } from "../diff/contents.ts"
import { withoutIgnored } from "../diff/ignored.ts"
import { type Place, sameContents } from "./same-contents.ts"
import { compose, type Composed, sameStamps, walkedDifferences } from "./tree-differences.ts"

export type CompareOptions = Pick<ChangesOptions, "paths" | "includeIgnored" | "verified" | "limits">

/** A side of a comparison: a workspace or a snapshot, in a guest that reads it. */
export interface Side extends Pick<Reader, "channel" | "explain"> {
  readonly trees: Trees
  /** Pushed files, which are part of the baseline for the ignore rules. */
  readonly pushed: Pushed
  /** Identity of the seed image. */
  readonly seed: string
}

/** Links to one file are one seed image. Copies count as different, and the comparison finds them equal. */
const seedOf = (disk: string) =>
  Effect.mapBoth(inodeOf(`${disk}/seed.ext4`), { onSuccess: (inode) => inode ?? disk, onFailure: toHostError })

/** A side in a guest, whose errors name its workspace. The folder `directory` has the pushed files, `disk` the layers. */
const sideOf = (
  entry: Entry,
  reader: Reader,
  { directory, disk }: { readonly directory: string; readonly disk: string }
) =>
  Effect.gen(function*() {
    const explain: Reader["explain"] = (look) => naming(entry)(reader.explain(look))
    return {
      ...reader,
      explain,
      trees: workspaceTrees,
      pushed: yield* readPushed(directory),
      seed: yield* seedOf(disk)
    }
  })

/** A workspace in its current state; `isLocked` is `isHeld` of `openReader`. */
export const workspaceSide = (
  entry: Entry,
  isLocked: boolean
) =>
  Effect.gen(function*() {
    const reader = yield* openReader(entry, isLocked, "workspace.compare")
    const { disk } = yield* entry.record.now
    return yield* sideOf(entry, reader, { directory: entry.folder.directory, disk: entry.folder.disk(disk) })
  }).pipe(naming(entry))

/** A disk at rest: no process may write its layers in the folder `disk` meanwhile. */
export const restingSide = (
  entry: Entry,
  folder: { readonly directory: string; readonly disk: string }
) => Effect.flatMap(openDiskReader(entry, folder.disk), (reader) => sideOf(entry, reader, folder)).pipe(naming(entry))

/** Maximum bytes to read as a proof of equality. Above it, a comparison that is not verified trusts times. */
const READ_ANYWAY_BYTES = 16 * 1024 * 1024

const placesOf = ({ channel, explain, trees }: Side) => ({
  live: { channel, explain, tree: trees.live } satisfies Place,
  baseline: { channel, explain, tree: trees.baseline } satisfies Place
})

const pushedFile: ComparedSide = { type: "file", mode: 0o644, size: 0, linkTarget: new Uint8Array(0) }

/** The candidates for the ignore rules, with pushed files as part of the baseline. */
const overPushed = (pushed: Pushed, candidates: ReadonlyArray<Candidate>): ReadonlyArray<Candidate> =>
  candidates.map((one) => {
    const entry = pushed.entries.get(one.path)
    return entry === undefined ? one : { ...one, old: entry._tag === "file" ? pushedFile : undefined }
  })

/** Differences of a tree from its own baseline. `kept` has the paths that no ignore rule excludes. */
const look = (side: Side, options: CompareOptions) =>
  side.explain(Effect.gen(function*() {
    const { candidates: found, mounts } = yield* collectCandidates(side, options.verified ?? false)
    const all = found.filter(beneath(options.paths ?? []))
    const { defaultRules, kept, nested } = options.includeIgnored === true
      ? { defaultRules: [], kept: all, nested: [] }
      : yield* withoutIgnored(side, overPushed(side.pushed, all), found, namedPaths(options.paths ?? []))
    return { all, defaultRules, kept: new Set(kept.map(({ path }) => path)), mounts, nested }
  }))

/** The candidates that are not equal files. */
const withoutSame = (from: Place, to: Place, composed: ReadonlyArray<Composed>, verified: boolean) =>
  Effect.gen(function*() {
    const twins = composed.flatMap(({ candidate: { old, path }, mayBeSame }) =>
      mayBeSame ? [{ path, size: old!.size }] : []
    )
    const bytes = twins.reduce((sum, { size }) => sum + size, 0)
    const stamped = verified || bytes <= READ_ANYWAY_BYTES
      ? new Set<string>()
      : yield* sameStamps(from, to, new Set(twins.map(({ path }) => path)))
    const same = yield* sameContents(from, to, twins.filter(({ path }) => !stamped.has(path)))
    return composed.flatMap(({ candidate }) =>
      stamped.has(candidate.path) || same.has(candidate.path) ? [] : [candidate]
    )
  })

/**
 * The changes that turn the tree of one side into that of the other, with all contents that fit. A path is ignored if neither
 * baseline has it and the rules of each side with the file exclude it.
 */
export const differencesOf = (
  from: Side,
  to: Side,
  options: CompareOptions = {}
) =>
  Effect.gen(function*() {
    const [one, other] = yield* Effect.all([look(from, options), look(to, options)], { concurrency: 2 })
    const [fromPlaces, toPlaces] = [placesOf(from), placesOf(to)]
    const baselines = from.seed === to.seed
      ? []
      : yield* walkedDifferences(fromPlaces.baseline, toPlaces.baseline, beneath(options.paths ?? []))
    const inBaselines = new Set(baselines.map(({ path }) => path))
    const composed = compose(one.all, other.all, baselines)
    const isKept = ({ candidate: { path } }: Composed) =>
      one.kept.has(path) || other.kept.has(path) || inBaselines.has(path)
    const kept = composed.filter(isKept)
    const isFile = ({ candidate: { new: after, old } }: Composed) => (after ?? old)?.type !== "directory"
    const nested = [...new Set([...one.nested, ...other.nested])].sort()
    const isNested = ({ candidate: { path } }: Composed) => nested.some((outer) => path.startsWith(`${outer}/`))
    const ignoredCount = composed.filter((each) => !isKept(each) && isFile(each) && !isNested(each)).length
    const differing = yield* withoutSame(fromPlaces.live, toPlaces.live, kept, options.verified ?? false)
    const reader = ({ channel, explain, trees }: Side) => (paths: ReadonlyArray<string>, limits: ReadLimits) =>
      explain(readContents(channel, trees.live, paths, limits))
    const mounts = new Map([...one.mounts, ...other.mounts].map((mount) => [mount.path, mount]))
    const missingOf = ({ channel, explain, trees }: Side, paths: ReadonlyArray<string>) =>
      explain(missingIn(channel, trees.live, paths))
    const missing = yield* missingOf(from, namedPaths(options.paths ?? [])).pipe(
      Effect.flatMap((paths) => missingOf(to, paths))
    )
    return {
      ...yield* withContents(differing, { old: reader(from), new: reader(to) }, options.limits),
      ignoredCount,
      defaultRules: [...new Set([...one.defaultRules, ...other.defaultRules])].sort(),
      nested: nested.map((path) => Buffer.from(path, "latin1")),
      missing: missing.map((path) => Buffer.from(path, "latin1")),
      mounted: mountedAt(options.paths ?? [], [...mounts.values()])
    }
  })
