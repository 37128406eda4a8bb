import { Effect, type Scope } from "effect"
import * as path from "node:path"
import { type HostToolMissing, InvalidRequest, type SeedRejected } from "../../contract/errors/errors.ts"
import { demandReadable } from "../../system/files/caller-places.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { isDirectory, realPath } from "../../system/files/host-path.ts"
import { repositoryNotes } from "./git/git-places.ts"
import { isBare, locate } from "./git/repository.ts"
import type { GitFailed } from "./model/git-failed.ts"
import { filesBeneath, joinBytes } from "./model/host-files.ts"
import type { PackedFacts } from "./model/packed.ts"
import { type BuildDirectory, demandNarrow, type GitMode } from "./model/source.ts"
import { collectTree } from "./tree/collect.ts"
import { makeGits } from "./tree/gits.ts"

/** A source that this machine reads for a workspace of another one. */
interface Packing {
  /** Field of the request with the path. */
  readonly field: "seed_path" | "source_path"
  /** A directory, or one file. */
  readonly path: string
  readonly git: GitMode
  readonly includeIgnored: ReadonlyArray<string>
  readonly allowHome: boolean
  readonly build: BuildDirectory
}

/** What is to be sent. */
export interface Packed {
  /** Real path of the directory or file. */
  readonly root: string
  /** Paths below the directory: files and links, and directories that may be empty. Undefined: the source is one file. */
  readonly paths: ReadonlyArray<Buffer> | undefined
  /** Other directories, which go to places below the directory. */
  readonly grafts: ReadonlyArray<{ readonly at: string; readonly directory: string }>
  /** Undefined: the other machine reads the directory or the file as one of its own. */
  readonly facts: Omit<PackedFacts, "name" | "project"> | undefined
}

/**
 * Chooses the files of a source as `prepareSeed` and `syncPush` do on one machine, and makes the `.git` that goes along. The directories of the result
 * live as long as the Scope.
 */
export const packSource = (
  { allowHome, build, field, git, includeIgnored, path: given }: Packing
): Effect.Effect<
  Packed,
  FileFailed | GitFailed | HostToolMissing | InvalidRequest | SeedRejected,
  Scope.Scope
> =>
  Effect.gen(function*() {
    yield* demandNarrow(field, given, allowHome)
    const root = realPath(given)
    if (root === undefined) return yield* new InvalidRequest({ field, detail: `${given} is not there` })
    yield* demandReadable(field, root)
    if (!isDirectory(root)) return { root, paths: undefined, grafts: [], facts: undefined }
    if (isBare(root)) return { root, paths: yield* everything(root), grafts: [], facts: undefined }
    const located = locate(root)
    if (located._tag === "none") {
      return {
        root,
        paths: yield* everything(root),
        grafts: [],
        facts: {
          left: [],
          skipped: [],
          filtered: [],
          notes: yield* repositoryNotes(root),
          whole: `${path.basename(root)} is no git repository`
        }
      }
    }
    const { collection, head } = yield* collectTree(located, root, { ...build, history: git, includeIgnored })
    const { filtered, gits, left, notes, paths, rules, skipped } = collection
    const mode = gits[0]?.at === ".git" ? git : "none"
    return {
      root,
      paths,
      grafts: yield* makeGits(gits, build.folder),
      facts: {
        ...(head === undefined ? {} : {
          git: {
            ...(head.commit === undefined ? {} : { head: head.commit }),
            ...(head.ref === undefined ? {} : { ref: head.ref }),
            mode
          }
        }),
        left,
        skipped,
        filtered,
        notes,
        // The `.git` of a workspace has the rules of the whole repository.
        ...(rules === undefined || mode !== "none" ? {} : { rules })
      }
    }
  })

/** All that is beneath a directory, repositories included. */
const everything = (root: string): Effect.Effect<ReadonlyArray<Buffer>, SeedRejected> =>
  Effect.gen(function*() {
    const gits: Array<Buffer> = []
    const found = [...yield* filesBeneath(Buffer.from(root), root, gits)]
    for (const git of gits) {
      found.push(git)
      const folder = joinBytes(Buffer.from(root), git)
      // A file that names a repository elsewhere has nothing beneath it.
      for (const one of yield* filesBeneath(folder, root)) found.push(joinBytes(git, one))
    }
    return found
  })
