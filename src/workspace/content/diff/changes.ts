import { Effect } from "effect"
import { FileRefused } from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import { count } from "../../../contract/text/count.ts"
import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK } from "../../../contract/text/git-mode.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { ComparedSide } from "../../../lib/guest-channel/model/files.ts"
import type { Change, Side } from "../../../lib/patch/model/patch.ts"
import { nothingPushed, type Pushed } from "../../../lib/seeding/model/pushed.ts"
import { type Trees, workspaceTrees } from "../../life/guest/baseline.ts"
import { beneath, type Candidate, collectCandidates, mountedAt, readBaseline, type Sources } from "./candidates.ts"
import { missingIn, namedPaths, readContents, type ReadLimits, type ReadResult } from "./contents.ts"
import { withoutIgnored } from "./ignored.ts"
import { overPushed } from "./over-pushed.ts"
import { withRenames } from "./renames.ts"

export interface ChangesOptions {
  /** Only changes at or beneath these paths, relative to /workspace. @default all changes */
  readonly paths?: ReadonlyArray<Uint8Array> | undefined
  /** Includes new files that ignore rules of the baseline or the guest exclude, and those of repositories that the guest made. @default false */
  readonly includeIgnored?: boolean | undefined
  /**
   * Compares the contents of all files, so that forged times hide nothing. The guest's own kernel reads the files: a root that
   * controls the kernel can still lie. @default false
   */
  readonly verified?: boolean | undefined
  readonly trees?: Trees | undefined
  /** Pushed files, which are part of the baseline. @default none */
  readonly pushed?: Pushed | undefined
  /** Maximum `bytes` of one file, and of all contents together, before and after. @default 64 MiB and 128 MiB */
  readonly limits?: { readonly fileBytes: number; readonly totalBytes: number } | undefined
}

/** A different file that is too large to read. */
export interface Oversized {
  readonly path: Uint8Array
  readonly old: { readonly mode: Side["mode"]; readonly size: number } | undefined
  readonly new: { readonly mode: Side["mode"]; readonly size: number } | undefined
}

export interface Changes {
  /** In the order of the bytes of their paths. */
  readonly changes: ReadonlyArray<Change>
  readonly oversized: ReadonlyArray<Oversized>
  /** Paths over which the guest mounted something: the changes beneath are unknown. */
  readonly mounted: ReadonlyArray<Uint8Array>
  /** Number of files that the ignore rules exclude. */
  readonly ignoredCount: number
  /** Patterns of the default list that excluded some of them, because the baseline has no rules there. */
  readonly defaultRules: ReadonlyArray<string>
  /** Repositories, work trees and submodules that the guest made, whose new files are left out. */
  readonly nested: ReadonlyArray<Uint8Array>
  /** Requested paths that exist on neither side. */
  readonly missing: ReadonlyArray<Uint8Array>
  /** Number of new sockets, FIFOs and devices: a patch cannot contain them. */
  readonly specialCount: number
}

const DEFAULT_LIMITS = { fileBytes: 64 * 1024 * 1024, totalBytes: 128 * 1024 * 1024 }

/** Mode as in git. `undefined` for types that git lacks. */
const gitMode = (side: ComparedSide | undefined): Side["mode"] | undefined => {
  switch (side?.type) {
    case "file":
      return (side.mode & 0o100) === 0 ? GIT_FILE : GIT_EXECUTABLE
    case "symlink":
      return GIT_LINK
    default:
      return undefined
  }
}

const isSpecial = (side: ComparedSide | undefined) =>
  side !== undefined && side.type !== "directory" && gitMode(side) === undefined

/** The candidates in order, and whether each fits the limits by its reported sizes. */
const bySize = (
  candidates: ReadonlyArray<Candidate>,
  limits: { readonly fileBytes: number; readonly totalBytes: number }
) => {
  let left = limits.totalBytes
  const sizeOf = (side: ComparedSide | undefined) => side?.type === "file" ? side.size : 0
  return candidates.map((candidate) => {
    const [before, after] = [sizeOf(candidate.old), sizeOf(candidate.new)]
    const fits = before <= limits.fileBytes && after <= limits.fileBytes && before + after <= left
    if (fits) left -= before + after
    return { candidate, fits }
  })
}

type Contents = ReadonlyMap<string, ReadResult>

/** One side with its content. `undefined` if the file is gone. */
const sideOf = (path: string, side: ComparedSide | undefined, contents: Contents): Side | "too large" | undefined => {
  const mode = gitMode(side)
  if (side === undefined || mode === undefined) return undefined
  const content = side.type === "symlink" ? side.linkTarget : contents.get(path) ?? "absent"
  return content === "absent" ? undefined : content === "too large" ? content : { mode, content }
}

const isSame = (before: Side | undefined, after: Side | undefined) =>
  before?.mode === after?.mode &&
  (before === undefined || after === undefined || Buffer.compare(before.content, after.content) === 0)

const oversizedOf = ({ new: after, old, path }: Candidate): Oversized => {
  const stat = (side: ComparedSide | undefined) => {
    const mode = gitMode(side)
    return side === undefined || mode === undefined ? undefined : { mode, size: side.size }
  }
  return { path: Buffer.from(path, "latin1"), old: stat(old), new: stat(after) }
}

/** Reads files of one side, by byte strings relative to its tree. */
export type ReadSide<E> = (
  paths: ReadonlyArray<string>,
  limits: ReadLimits
) => Effect.Effect<ReadonlyMap<string, ReadResult>, E>

/** The candidates that are changes, with all contents that fit, in the order of the bytes of their paths. */
export const withContents = <E, E2>(
  candidates: ReadonlyArray<Candidate>,
  read: { readonly old: ReadSide<E>; readonly new: ReadSide<E2> },
  limits = DEFAULT_LIMITS
) =>
  Effect.gen(function*() {
    const ordered = candidates
      .filter(({ new: after, old }) => gitMode(old) !== undefined || gitMode(after) !== undefined)
      .sort((one, other) => one.path < other.path ? -1 : 1)
    const sized = bySize(ordered, limits)
    const readable = sized.flatMap(({ candidate, fits }) => fits ? [candidate] : [])
    const readLimits: ReadLimits = { fileBytes: limits.fileBytes, total: { left: limits.totalBytes } }
    const pathsOf = (side: "old" | "new") => readable.flatMap((one) => one[side]?.type === "file" ? [one.path] : [])
    const [old, after] = yield* Effect.all([
      read.old(pathsOf("old"), readLimits),
      read.new(pathsOf("new"), readLimits)
    ], { concurrency: 2 })

    const changes: Array<Change> = []
    const oversized = sized.flatMap(({ candidate, fits }) => fits ? [] : [oversizedOf(candidate)])
    for (const candidate of readable) {
      const sides = [
        sideOf(candidate.path, candidate.old, old),
        sideOf(candidate.path, candidate.new, after)
      ] as const
      // The file grew after the comparison.
      if (sides[0] === "too large" || sides[1] === "too large") oversized.push(oversizedOf(candidate))
      else if (!isSame(...sides as readonly [Side | undefined, Side | undefined])) {
        changes.push({ path: Buffer.from(candidate.path, "latin1"), before: sides[0], after: sides[1] })
      }
    }
    return {
      changes: withRenames(changes),
      oversized,
      specialCount: candidates.filter(({ new: after }) => isSpecial(after)).length
    }
  })

/** Changes by the agent or by commands since the workspace was made, with all contents that fit. */
export const collectChanges = (
  channel: GuestChannel,
  options: ChangesOptions = {}
) =>
  Effect.gen(function*() {
    const { paths: wantedPaths = [], pushed = nothingPushed, trees = workspaceTrees, verified = false } = options
    const sources: Sources = { channel, trees, pushed }
    const { candidates: differing, mounts } = yield* collectCandidates(sources, verified)
    const found = yield* overPushed(sources, differing)
    const wanted = found.filter(beneath(wantedPaths))
    const { defaultRules, ignoredCount, kept, nested } = options.includeIgnored === true
      ? { defaultRules: [], ignoredCount: 0, kept: wanted, nested: [] }
      : yield* withoutIgnored(sources, wanted, found, namedPaths(wantedPaths))
    const readOld = readBaseline(sources)
    const readNew = (paths: ReadonlyArray<string>, limits: ReadLimits) =>
      readContents(channel, trees.live, paths, limits)
    const unknown = yield* missingIn(channel, trees.live, namedPaths(wantedPaths)).pipe(
      Effect.flatMap((paths) => missingIn(channel, trees.baseline, paths)),
      Effect.map((paths) => paths.map((path) => Buffer.from(path, "latin1")))
    )
    return {
      ...yield* withContents(kept, { old: readOld, new: readNew }, options.limits),
      ignoredCount,
      defaultRules,
      nested: nested.map((path) => Buffer.from(path, "latin1")),
      // A pushed file that is gone is a change.
      missing: unknown.filter((path) => !wanted.some(beneath([path]))),
      mounted: mountedAt(wantedPaths, mounts)
    }
  })

/** All changes, or a refusal that names a path whose changes are unknown or too large. */
export const wholeChanges = (
  { changes, mounted, oversized }: Changes
): Effect.Effect<ReadonlyArray<Change>, FileRefused> => {
  if (mounted[0] !== undefined) {
    return new FileRefused({
      path: pathText(mounted[0]),
      reason: "failed",
      detail:
        `the guest mounted something over it${
          mounted.length === 1 ? "" : ` (and ${count(mounted.length - 1, "more path")})`
        }, ` +
        "so the diff is incomplete; unmount it, or name the other paths"
    })
  }
  const [first, ...others] = oversized
  if (first === undefined) return Effect.succeed(changes)
  const others_ = others.length === 0 ? "" : ` (and ${others.length} more)`
  return new FileRefused({
    path: pathText(first.path),
    reason: "too_large",
    detail: `it${others_} is too large for a patch`,
    next: [words("Leave it out by naming the paths that matter, or export it by itself")]
  })
}
