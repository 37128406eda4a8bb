import { Effect, type Scope } from "effect"
import * as path from "node:path"
import { InvalidRequest, NoSpace, SeedRejected, WORKSPACE_DISK } from "../../contract/errors/errors.ts"
import { type Graft, type SeedFailed, SeedImages } from "../../disk/SeedImages.ts"
import { demandReadable } from "../../system/files/caller-places.ts"
import { makeFolder } from "../../system/files/folders.ts"
import { realDirectory, realPath } from "../../system/files/host-path.ts"
import { Paths } from "../../system/files/Paths.ts"
import type { BuildDirectory, History, PreparedSeed, PrepareServices, SeedRequest } from "../request.ts"
import { commitPlan, commitTree, writeCommitTar } from "./commit.ts"
import { git } from "./confined-git.ts"
import { fetchCommit, noSuchRef, refNames } from "./fetch.ts"
import { makeGitDirectory } from "./git-directory.ts"
import type { GitFailed } from "./git-failed.ts"
import { committer, hostIdentity, type Identity } from "./identity.ts"
import { isBare, locateAt, type Repository } from "./locate.ts"
import { isObjectId, readHead, resolveRef } from "./refs.ts"
import { rejected } from "./rejected.ts"
import { makeScratch, type Scratch } from "./scratch.ts"
import { parseSource, type SourceUrl } from "./source-url.ts"

type UrlRequest = SeedRequest & { readonly repoUrl: string }

/** The seed image of a commit, from a repository in the cache or one of the user's own. */
export const seedFromUrl = (
  request: UrlRequest,
  makeDirectory: Effect.Effect<BuildDirectory, SeedFailed, PrepareServices | Scope.Scope>
): Effect.Effect<PreparedSeed, SeedFailed, PrepareServices | Scope.Scope> =>
  Effect.gen(function*() {
    const source = parseSource(request.repoUrl)
    if (source._tag === "refused") return yield* new InvalidRequest({ field: "repo_url", detail: source.reason })
    const shown = source._tag === "local" ? source.path : source.shown
    const buildDirectory = yield* makeDirectory
    const scratch = yield* openCommit(source, request, buildDirectory).pipe(rejected(shown))
    const commit = scratch.head.commit!
    const history = request.git === "none" ? undefined : request.git
    const identity = history === undefined ? {} : yield* hostIdentity
    const { image, report } = yield* (yield* SeedImages).fromKey({
      key: JSON.stringify([
        "commit",
        commit,
        scratch.head.ref,
        request.git,
        shown,
        committer(scratch.settings, identity)
      ]),
      virtualMib: request.virtualMib,
      owner: request.owner,
      make: makeCommit(scratch, history, buildDirectory, request, { shown, identity }).pipe(rejected(shown))
    })
    return { image, report: { ...report, git: { head: commit, ref: scratch.head.ref, mode: request.git } } }
  })

/** A look at the repository in which HEAD is the commit that was asked for. */
const openCommit = (
  source: Exclude<SourceUrl, { readonly _tag: "refused" }>,
  request: UrlRequest,
  buildDirectory: BuildDirectory
) =>
  Effect.gen(function*() {
    const folder = path.join(buildDirectory.folder, "look")
    yield* makeFolder(folder)
    if (source._tag === "local") {
      const real = realDirectory(source.path)
      // Since a server judged the path, a link may have taken its place.
      if (real !== undefined && request.seedPath !== undefined) yield* demandReadable("seed_path", real)
      const repository = real === undefined ? undefined : localRepository(real)
      const scratch = repository === undefined
        ? undefined
        : yield* makeScratch(repository, folder, buildDirectory.namespaces)
      if (scratch === undefined) {
        return yield* new SeedRejected({ path: source.path, detail: "there is no repository that could be read" })
      }
      return yield* localCommit(scratch, source.path, request.repoRef)
    }
    const { cacheDir } = yield* Paths
    const history: History = request.git === "full" ? "full" : "shallow"
    const fetched = yield* fetchCommit(source, request.repoRef, {
      history,
      cacheDir,
      namespaces: buildDirectory.namespaces
    })
    const cached = realPath(fetched.directory) ?? fetched.directory
    const repository = { workTree: cached, gitDir: cached, commonDir: cached }
    const scratch = yield* makeScratch(repository, folder, buildDirectory.namespaces)
    if (scratch === undefined) return yield* noSuchRef(source, request.repoRef)
    const settings = new Map(scratch.settings).set("remote.origin.url", source.shown)
    const branch = fetched.ref?.slice("refs/heads/".length)
    if (branch !== undefined) {
      settings.set(`branch.${branch}.remote`, "origin").set(`branch.${branch}.merge`, `refs/heads/${branch}`)
    }
    const head = { commit: fetched.commit, ref: fetched.ref }
    return { ...scratch, settings, head, upstreamCommit: fetched.commit } satisfies Scratch
  })

/** A repository of the user at a real path, bare or with a work tree. */
const localRepository = (folder: string): Repository | undefined => {
  const located = locateAt(folder)
  if (located._tag === "repository") return located.repository
  return isBare(folder) ? { workTree: folder, gitDir: folder, commonDir: folder } : undefined
}

const localCommit = (
  scratch: Scratch,
  shown: string,
  wanted: string | undefined
): Effect.Effect<Scratch, SeedRejected | GitFailed | SeedFailed> =>
  Effect.gen(function*() {
    const { commonDir } = scratch.repository
    const names = refNames(wanted) ?? []
    const own = readHead(scratch.repository)
    const found = wanted !== undefined && isObjectId(wanted)
      ? { id: wanted, ref: undefined }
      : names[0] === "HEAD"
      ? { id: own?.commit, ref: own?.ref }
      : names.map((name) => ({ id: resolveRef(commonDir, name), ref: name })).find(({ id }) => id !== undefined)
    if (found?.id === undefined) return yield* noSuchRef({ shown }, wanted)
    const peel = ["rev-parse", "--verify", "-q", `${found.id}^{commit}`] as const
    const commit = (yield* git({ ...scratch.room, workTree: undefined, cwd: undefined }, peel)).toString().trim()
    const ref = found.ref?.startsWith("refs/heads/") === true ? found.ref : undefined
    return { ...scratch, head: { commit, ref } }
  })

const makeCommit = (
  scratch: Scratch,
  history: History | undefined,
  { folder }: BuildDirectory,
  request: UrlRequest,
  { identity, shown }: { readonly identity: Identity; readonly shown: string }
) =>
  Effect.gen(function*() {
    const tree = yield* commitTree(scratch)
    const neededMib = Math.ceil(tree.bytes / (1024 * 1024))
    if (neededMib > request.virtualMib) {
      const { virtualMib } = request
      return yield* new NoSpace({ where: WORKSPACE_DISK, path: shown, neededMib, availableMib: virtualMib })
    }
    const archive = yield* writeCommitTar(scratch)
    const grafts: Array<Graft> = []
    if (history !== undefined) {
      const directory = path.join(folder, "git")
      yield* makeFolder(directory)
      yield* makeGitDirectory(scratch, yield* commitPlan(scratch, history, tree, identity), directory)
      grafts.push({ at: ".git", directory })
    }
    return { archive, grafts }
  })
