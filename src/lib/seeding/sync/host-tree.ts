import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import { InvalidRequest, type NoSpace, type StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK, type GitMode } from "../../../contract/text/git-mode.ts"
import { type Losses, withLoss } from "../../../contract/text/host-file-notes.ts"
import { pathBytes, pathText } from "../../../contract/text/path-text.ts"
import { demandReadable } from "../../../system/files/caller-places.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"
import { attributesLost, type SeedFailed } from "../../disk/SeedImages.ts"
import { repositoryNotes } from "../git/git-places.ts"
import { isBare, locate, type Located } from "../git/repository.ts"
import { makeBuildDirectory } from "../model/cache.ts"
import { rejected } from "../model/git-failed.ts"
import { beneath, filesBeneath } from "../model/host-files.ts"
import { keepContent, keepFile, type Kept } from "../model/kept.ts"
import type { OuterRules } from "../model/outer-rules.ts"
import { packedAt, type PackedFacts } from "../model/packed.ts"
import { nameOf, parentsOf } from "../model/pushed.ts"
import type { PrepareServices } from "../model/request.ts"
import { collectTree, type Skipped } from "../tree/collect.ts"

/** A file or link of the host at the time of its listing. */
export interface HostFile {
  /** Relative to the directory. */
  readonly path: Buffer
  /** As git has it. */
  readonly mode: GitMode
  readonly permissions: number
  /** Whether it has a set-user-ID or set-group-ID bit, which no copy keeps. */
  readonly hasSetId?: boolean
  readonly size: number
  readonly mtimeNs: bigint
}

export interface HostTree {
  readonly root: string
  /** Target directory in the workspace, in latin1; "" is /workspace. */
  readonly dest: string
  /** By their path in the workspace, in latin1. */
  readonly files: ReadonlyMap<string, HostFile>
  readonly skipped: ReadonlyArray<Skipped>
  /** Ignored files and directories that stay on the host. */
  readonly left: ReadonlyArray<string>
  /** Why a part of the user's git configuration does not count. */
  readonly notes: ReadonlyArray<string>
  /** Ignore rules that no file of the directory has. */
  readonly rules?: OuterRules | undefined
  /** A client of another machine has chosen the files. It has others, which it did not send. */
  readonly packed?: PackedFacts | undefined
}

const prefixOf = (dest: string) => dest === "" ? "" : `${dest}/`

/** Path in the workspace of a path in the host's directory, both as text. */
export const placedText = (dest: string, path: string): string =>
  pathText(Buffer.from(prefixOf(dest) + nameOf(pathBytes(path) ?? Buffer.from(path)), "latin1"))

/** Number of files to check in one turn of the event loop. */
const LOOKS_PER_TURN = 512

/** Lists a directory of the host like a seed from it, without reading contents. */
export const listHost = (
  directory: string,
  includeIgnored: ReadonlyArray<string>,
  dest: string
): Effect.Effect<HostTree, SeedFailed | InvalidRequest, PrepareServices | Scope.Scope> =>
  Effect.gen(function*() {
    const root = yield* Effect.try({
      try: () => {
        const stat = fs.statSync(directory, { throwIfNoEntry: false })
        if (stat?.isDirectory() !== true) throw new Error(stat === undefined ? "there is none" : "it is a file")
        return fs.realpathSync(directory)
      },
      catch: (cause) =>
        new InvalidRequest({
          field: "source_path",
          detail: `${directory} is no readable directory: ${(cause as Error).message}`
        })
    })
    yield* demandReadable("source_path", root)
    const packed = yield* packedAt(root)
    if (packed === undefined && isBare(root)) {
      return yield* new InvalidRequest({
        field: "source_path",
        detail: `${directory} is a repository without a work tree; push from a work tree of it`
      })
    }
    const located: Located = packed === undefined ? locate(root) : { _tag: "none" }
    const collected = located._tag === "none" ? undefined : yield* collectTree(located, root, {
      ...(yield* makeBuildDirectory),
      history: "none",
      includeIgnored
    }).pipe(rejected(root))
    const placed = (path: Uint8Array) => prefixOf(dest) + nameOf(path)
    const skipped = (packed ?? collected?.collection)?.skipped.map((one) => ({
      ...one,
      path: placedText(dest, one.path)
    })) ?? []
    const files = new Map<string, HostFile>()
    const paths = collected?.collection.paths ?? (yield* filesBeneath(Buffer.from(root), root))
    for (const [index, path] of paths.entries()) {
      // Other requests of the daemon get a turn during the listing of a large tree.
      if (index % LOOKS_PER_TURN === 0) yield* yieldToEventLoop
      const found = fileAt(root, path)
      if (typeof found === "string") {
        skipped.push({ path: pathText(Buffer.from(placed(path), "latin1")), reason: found })
      } else if (found !== undefined) files.set(placed(path), found)
    }
    const { left = [], notes = yield* repositoryNotes(root), rules } = packed ?? collected?.collection ?? {}
    return { root, dest, files, skipped, left, notes, rules, packed }
  })

/** A file or link, the reason why it is neither, or `undefined` for a directory. */
const fileAt = (root: string, path: Buffer): HostFile | string | undefined => {
  try {
    const stat = fs.lstatSync(beneath(root, path), { bigint: true })
    const facts = { path, size: Number(stat.size), mtimeNs: stat.mtimeNs, permissions: Number(stat.mode) & 0o777 }
    if (stat.isDirectory()) return undefined
    if (stat.isSymbolicLink()) return { ...facts, mode: GIT_LINK }
    if (!stat.isFile()) return "it is neither a file nor a symlink"
    const hasSetId = (Number(stat.mode) & 0o6000) !== 0
    return { ...facts, hasSetId, mode: (facts.permissions & 0o100) === 0 ? GIT_FILE : GIT_EXECUTABLE }
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code ?? String(cause)
  }
}

/** Whether a client of another machine has an entry at a path, or above it, that it did not send. */
const isUnsent = ({ left, skipped }: PackedFacts, path: string) => {
  const covers = (text: string) => {
    const name = nameOf(pathBytes(text) ?? Buffer.from(text)).replace(/\/$/, "")
    return path === name || path.startsWith(`${name}/`)
  }
  return left.some(covers) || skipped.some(({ path }) => covers(path))
}

/** Whether the host has no entry for a path of the workspace. There is none beneath a file or a link. */
export const isGone = ({ dest, files, packed, root }: HostTree, name: string) => {
  const prefix = prefixOf(dest)
  if (!name.startsWith(prefix)) return false
  if (parentsOf(name).some((parent) => files.has(parent))) return true
  if (packed !== undefined && isUnsent(packed, name.slice(prefix.length))) return false
  try {
    const path = Buffer.from(name.slice(prefix.length), "latin1")
    return fs.lstatSync(beneath(root, path), { throwIfNoEntry: false }) === undefined
  } catch (cause) {
    // For example beneath a special file.
    return (cause as NodeJS.ErrnoException).code === "ENOTDIR"
  }
}

/** Files up to this size are read at once, which is faster than a copy. */
const AT_ONCE_BYTES = 1024 * 1024

/** Keeps the content of a listed file, or its link's target. Gives the reason if it cannot be read. Never through a symlink. */
export const keepHost = (
  folder: string,
  root: string,
  file: HostFile
): Effect.Effect<Kept | string, NoSpace | StateDirectoryUnusable> => {
  const at = beneath(root, file.path)
  const reasonOf = (cause: unknown) => (cause as NodeJS.ErrnoException).code ?? String(cause)
  const kept = file.mode === GIT_LINK
    ? Effect.try({ try: () => fs.readlinkSync(at, { encoding: "buffer" }), catch: reasonOf }).pipe(
      Effect.flatMap((target) => keepContent(folder, target))
    )
    : Effect.acquireUseRelease(
      Effect.try({
        try: () => fs.openSync(at, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK),
        catch: reasonOf
      }),
      (fd) =>
        Effect.gen(function*() {
          const { content, isItself } = yield* Effect.try({
            try: () => {
              const { size } = fs.fstatSync(fd)
              // A directory on the path may have become a symlink since the listing.
              const isItself = fs.readlinkSync(`/proc/self/fd/${fd}`, { encoding: "buffer" }).equals(at)
              return { isItself, content: isItself && size <= AT_ONCE_BYTES ? fs.readFileSync(fd) : undefined }
            },
            catch: reasonOf
          })
          if (!isItself) return "it was replaced while it was read"
          return content === undefined ? yield* keepFile(folder, fd) : yield* keepContent(folder, content)
        }),
      (fd) => Effect.sync(() => fs.closeSync(fd))
    )
  return Effect.catch(
    kept,
    (failure) => typeof failure === "string" ? Effect.succeed(failure) : Effect.fail(toHostErrorOf(folder)(failure))
  )
}

/** Properties that the copies of host files lack. The push is done, so a failed look at attributes only leaves them out. */
export const lossesOf = (root: string, files: ReadonlyArray<HostFile>) => {
  let losses: Losses = {}
  for (const { hasSetId, path } of files) if (hasSetId === true) losses = withLoss(losses, "setIds", pathText(path))
  const list = Buffer.concat(
    files.filter(({ mode }) => mode !== GIT_LINK).flatMap(({ path }) => [path, Buffer.alloc(1)])
  )
  return list.length === 0
    ? Effect.succeed(losses)
    : attributesLost(root, list).pipe(
      Effect.map((found) => ({ ...losses, ...found })),
      Effect.orElseSucceed(() => losses)
    )
}
