import { Effect, type Scope } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedRejected, StateDirectoryUnusable } from "../../contract/errors.ts"
import { type SeedFailed, type SeedImage, SeedImages, type SeedReport } from "../../disk/SeedImages.ts"
import { makeTemporary } from "../../environment/temporary.ts"
import { Paths } from "../../system/Paths.ts"
import { probeConfinement } from "../../vm/confinement.ts"
import type { HostFacts } from "../../vm/HostFacts.ts"
import { type CollectOptions, collectTree, filesBeneath, type PlannedGit, type Skipped } from "./collect.ts"
import type { GitFailed } from "./confined-git.ts"
import { seedFromUrl } from "./from-url.ts"
import { type History, keyOf, makeGitDirectory } from "./git-directory.ts"
import { locate, type Located } from "./locate.ts"
import type { Head } from "./refs.ts"

export type GitMode = History | "none"

export interface SeedRequest {
  /** A directory or a tar archive of the host. */
  readonly seedPath?: string | undefined
  /** An https URL, an http one of this host, or a path of a repository; instead of `seedPath`. */
  readonly repoUrl?: string | undefined
  /** Branch, tag or commit id; what HEAD is there when absent. */
  readonly repoRef?: string | undefined
  readonly git: GitMode
  /** Ignored files to take along. */
  readonly includeIgnored: ReadonlyArray<string>
  readonly virtualMib: number
}

export interface SeedGit {
  readonly head: string | undefined
  /** As `refs/heads/main`; undefined when detached. */
  readonly ref: string | undefined
  /** How much of it /workspace/.git has. */
  readonly mode: GitMode
}

export interface PreparedSeed {
  readonly image: SeedImage
  readonly report: SeedReport & { readonly git: SeedGit | undefined }
}

export type PrepareServices = SeedImages | Paths | HostFacts

/** Folder of what is made on the way to a seed image, swept like all temporaries of its kind. */
export const temporariesOf = (cacheDir: string) => path.join(cacheDir, "seeds", "temporary")

/**
 * The seed image of what a workspace is to start from. Of a git work tree it holds the tracked files and those that git would
 * offer to add, and a `.git` made anew that shows the same state; of other directories and of archives everything. What
 * repositories hold is hostile: git runs confined, and nothing of theirs is run.
 */
export const prepareSeed = (request: SeedRequest): Effect.Effect<PreparedSeed, SeedFailed, PrepareServices> =>
  Effect.scoped(Effect.gen(function*() {
    const { repoUrl, seedPath, virtualMib } = request
    const seeds = yield* SeedImages
    if (repoUrl !== undefined) return yield* seedFromUrl({ ...request, repoUrl }, yield* workshop)
    if (seedPath === undefined) {
      const image = yield* seeds.empty(virtualMib)
      const report = { files: 0, directories: 0, symlinks: 0, bytes: 0, skippedCount: 0, skipped: [], git: undefined }
      return { image, report }
    }
    const directory = realDirectory(seedPath)
    const located: Located = directory === undefined ? { _tag: "none" } : locate(directory)
    if (directory === undefined || located._tag === "none") {
      const { image, report } = yield* seeds.fromPath({ path: seedPath, virtualMib })
      return { image, report: { ...report, git: undefined } }
    }
    return yield* seedFromTree(request, directory, located)
  }))

/** A folder for this one seed, and whether git can be locked up. */
export const workshop: Effect.Effect<
  { readonly folder: string; readonly namespaces: boolean },
  SeedFailed,
  PrepareServices | Scope.Scope
> = Effect.gen(function*() {
  const { cacheDir } = yield* Paths
  const parent = temporariesOf(cacheDir)
  const { path: folder } = yield* makeTemporary(parent, "seed").pipe(
    Effect.catchTag("LockTimeout", (cause) => new StateDirectoryUnusable({ path: parent, detail: cause.message }))
  )
  const { level } = yield* probeConfinement
  return { folder, namespaces: level !== "seccomp" }
})

const realDirectory = (seedPath: string): string | undefined => {
  try {
    return fs.statSync(seedPath).isDirectory() ? fs.realpathSync(path.resolve(seedPath)) : undefined
  } catch {
    return undefined // `fromPath` says what is the matter
  }
}

const seedFromTree = (
  request: SeedRequest,
  directory: string,
  located: Exclude<Located, { readonly _tag: "none" }>
) =>
  Effect.gen(function*() {
    const seeds = yield* SeedImages
    const { folder, namespaces } = yield* workshop
    const options: CollectOptions = { ...request, history: request.git, folder, namespaces }
    const collected = located._tag === "refused"
      ? undefined
      : yield* collectTree(located.repository, directory, options).pipe(rejected(directory))
    const { gits, paths, skipped } = collected?.collection ?? {
      gits: [],
      paths: filesBeneath(Buffer.from(directory)),
      skipped: [{
        path: ".git",
        reason: located._tag === "refused" ? located.reason : "it is kept in a way that is not known"
      }]
    }
    const { image, report } = yield* seeds.fromPath({
      path: directory,
      virtualMib: request.virtualMib,
      list: Buffer.concat(paths.flatMap((one) => [one, nul])),
      additions: gits.length === 0 ? undefined : {
        key: createHash("sha256").update(gits.map(({ at, plan }) => `${at}\0${keyOf(plan)}\0`).join("")).digest("hex"),
        make: makeGits(gits, folder).pipe(rejected(directory))
      }
    })
    const git = collected === undefined
      ? undefined
      : gitOf(collected.head, gits[0]?.at === ".git" ? request.git : "none")
    return { image, report: { ...withSkipped(report, skipped), git } }
  })

const nul = Buffer.alloc(1)

const gitOf = (head: Head, mode: GitMode): SeedGit => ({ head: head.commit, ref: head.ref, mode })

const withSkipped = (report: SeedReport, skipped: ReadonlyArray<Skipped>): SeedReport => ({
  ...report,
  skipped: [...skipped, ...report.skipped],
  skippedCount: report.skippedCount + skipped.length
})

const makeGits = (gits: ReadonlyArray<PlannedGit>, folder: string) =>
  Effect.forEach(gits, ({ at, plan, scratch }) => {
    const directory = fs.mkdtempSync(path.join(folder, "git-"))
    return Effect.as(makeGitDirectory(scratch, plan, directory), { at, directory })
  })

/** Git's refusal as the seed's. */
export const rejected = (source: string) => <A, E, R>(effect: Effect.Effect<A, E | GitFailed, R>) =>
  Effect.catchIf(
    effect,
    (failure): failure is GitFailed => (failure as { readonly _tag?: unknown })._tag === "GitFailed",
    (failure) => new SeedRejected({ path: source, detail: failure.message })
  )
