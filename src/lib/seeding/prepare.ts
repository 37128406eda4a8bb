import { Effect } from "effect"
import { createHash } from "node:crypto"
import { demandReadable } from "../../system/files/caller-places.ts"
import { isDirectory, realPath } from "../../system/files/host-path.ts"
import { asStep } from "../../system/telemetry/spans.ts"
import { type SeedFailed, SeedImages, type SeedReport } from "../disk/SeedImages.ts"
import { seedFromUrl } from "./git/from-url.ts"
import { keyOf } from "./git/git-directory.ts"
import { repositoryNotes } from "./git/git-places.ts"
import { type Head, isBare, locate, type Located } from "./git/repository.ts"
import { makeBuildDirectory } from "./model/cache.ts"
import { rejected } from "./model/git-failed.ts"
import { hasRules } from "./model/outer-rules.ts"
import { packedAt, type PackedFacts } from "./model/packed.ts"
import type { PreparedSeed, PrepareServices, SeedGit, SeedRequest } from "./model/request.ts"
import { demandNarrow, type GitMode } from "./model/source.ts"
import { type CollectOptions, collectTree, type Skipped } from "./tree/collect.ts"
import { makeGits } from "./tree/gits.ts"

/**
 * The seed image of a workspace's source. A git work tree gives its tracked files, its untracked files that are not ignored, and a
 * new `.git` with the same state. Other directories and archives give everything. Repositories are hostile: git runs confined, and
 * runs nothing of theirs.
 */
export const prepareSeed = (request: SeedRequest): Effect.Effect<PreparedSeed, SeedFailed, PrepareServices> =>
  Effect.scoped(Effect.gen(function*() {
    const { owner, repoUrl, virtualMib } = request
    yield* demandNarrow("seed_path", request.seedPath, request.allowHome === true)
    // The path is resolved once. From here on it is opened without links.
    const seedPath = request.seedPath === undefined ? undefined : realPath(request.seedPath) ?? request.seedPath
    if (seedPath !== undefined) yield* demandReadable("seed_path", seedPath)
    const seeds = yield* SeedImages
    if (repoUrl !== undefined) return yield* seedFromUrl({ ...request, repoUrl })
    if (seedPath === undefined) {
      const image = yield* seeds.empty(virtualMib, owner).pipe(asStep("seed image"))
      const report = { files: 0, directories: 0, symlinks: 0, bytes: 0, skippedCount: 0, skipped: [], git: undefined }
      return { image, report }
    }
    const packed = yield* packedAt(seedPath)
    if (packed !== undefined) return yield* seedFromPacked(request, seedPath, packed)
    // `fromPath` reports other unreadable sources.
    const directory = isDirectory(seedPath) ? seedPath : undefined
    if (directory !== undefined && isBare(directory)) {
      return yield* seedFromUrl({ ...request, repoUrl: directory })
    }
    const located: Located = directory === undefined ? { _tag: "none" } : locate(directory)
    if (directory === undefined || located._tag === "none") {
      const { image, report } = yield* seeds.fromPath({ path: seedPath, virtualMib, owner }).pipe(asStep("seed image"))
      const whole = directory === undefined ? {} : { whole: `${directory} is no git repository` }
      return { image, report: { ...report, ...whole, git: undefined, notes: yield* repositoryNotes(seedPath) } }
    }
    return yield* seedFromTree(request, directory, located)
  })).pipe(asStep("seed"))

/** The files that a client of another machine has chosen, with the `.git` that was made there. */
const seedFromPacked = (
  { owner, virtualMib }: SeedRequest,
  path: string,
  { filtered, git, left, notes, rules, skipped, whole }: PackedFacts
) =>
  Effect.gen(function*() {
    const seeds = yield* SeedImages
    const { image, report } = yield* seeds.fromPath({ path, virtualMib, owner }).pipe(asStep("seed image"))
    return {
      image,
      report: {
        ...withSkipped(report, skipped),
        git: git === undefined ? undefined : { head: git.head, ref: git.ref, mode: git.mode },
        ...(whole === undefined ? { left } : { whole }),
        filtered,
        notes,
        rules: rules !== undefined && hasRules(rules) ? rules : undefined
      }
    }
  })

const seedFromTree = (
  request: SeedRequest,
  directory: string,
  located: Exclude<Located, { readonly _tag: "none" }>
) =>
  Effect.gen(function*() {
    const seeds = yield* SeedImages
    const { folder, namespaces } = yield* makeBuildDirectory
    const options: CollectOptions = { ...request, history: request.git, folder, namespaces }
    const { collection, head } = yield* collectTree(located, directory, options).pipe(
      asStep("list files"),
      rejected(directory)
    )
    const { filtered, gits, left, notes, paths, rules, skipped } = collection
    const { image, report } = yield* seeds.fromPath({
      path: directory,
      virtualMib: request.virtualMib,
      owner: request.owner,
      list: Buffer.concat(paths.flatMap((one) => [one, nul])),
      additions: gits.length === 0 ? undefined : {
        key: createHash("sha256").update(gits.map(({ at, plan }) => `${at}\0${keyOf(plan)}\0`).join("")).digest("hex"),
        make: makeGits(gits, folder).pipe(asStep("git directory"), rejected(directory))
      }
    }).pipe(asStep("seed image"))
    const git = head === undefined ? undefined : gitOf(head, gits[0]?.at === ".git" ? request.git : "none")
    return {
      image,
      report: {
        ...withSkipped(report, skipped),
        git,
        left,
        filtered,
        notes,
        // The `.git` of a workspace has the rules of the whole repository.
        rules: rules === undefined || !hasRules(rules) || gits[0]?.at === ".git" ? undefined : rules
      }
    }
  })

const nul = Buffer.alloc(1)

const gitOf = (head: Head, mode: GitMode): SeedGit => ({ head: head.commit, ref: head.ref, mode })

const withSkipped = (report: SeedReport, skipped: ReadonlyArray<Skipped>): SeedReport => ({
  ...report,
  skipped: [...skipped, ...report.skipped],
  skippedCount: report.skippedCount + skipped.length
})
