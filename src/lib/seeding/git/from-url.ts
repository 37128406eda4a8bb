import { Effect, type Scope } from "effect"
import * as path from "node:path"
import { InvalidRequest, NoSpace, SeedRejected, WORKSPACE_DISK } from "../../../contract/errors/errors.ts"
import { demandReadable } from "../../../system/files/caller-places.ts"
import { readFile, writeFile } from "../../../system/files/content.ts"
import { makeFolder, removeFile } from "../../../system/files/entries.ts"
import { attempt } from "../../../system/files/failure.ts"
import { realDirectory, realPath } from "../../../system/files/host-path.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { type Graft, type SeedFailed, SeedImages } from "../../disk/SeedImages.ts"
import { makeBuildDirectory } from "../model/cache.ts"
import { type GitFailed, rejected } from "../model/git-failed.ts"
import type { PreparedSeed, PrepareServices, SeedRequest } from "../model/request.ts"
import type { BuildDirectory, History } from "../model/source.ts"
import { splitNul } from "../tree/listing.ts"
import { git, withoutTree } from "./confined-git.ts"
import { type GitPlan, makeGitDirectory, planGit } from "./git-directory.ts"
import { committer } from "./identity.ts"
import { believe, indexEntries, sealIndex } from "./index-file.ts"
import { fetchCommit, noSuchRef, parseSource, refNames, type SourceUrl } from "./remote.ts"
import { isBare, isObjectId, locateAt, readHead, resolveRef } from "./repository.ts"
import { carriedSettings } from "./safe-config.ts"
import { makeScratch, type Scratch, type Source } from "./scratch.ts"

type UrlRequest = SeedRequest & { readonly repoUrl: string }

/** The seed image of a commit, from a repository in the cache or one of the user's own. */
export const seedFromUrl = (
  request: UrlRequest
): Effect.Effect<PreparedSeed, SeedFailed, PrepareServices | Scope.Scope> =>
  Effect.gen(function*() {
    const source = parseSource(request.repoUrl)
    if (source._tag === "refused") return yield* new InvalidRequest({ field: "repo_url", detail: source.reason })
    const shown = source._tag === "local" ? source.path : source.shown
    const buildDirectory = yield* makeBuildDirectory
    const scratch = yield* openCommit(source, request, buildDirectory).pipe(rejected(shown))
    const commit = scratch.head.commit!
    const history = request.git === "none" ? undefined : request.git
    const { image, report } = yield* (yield* SeedImages).fromKey({
      key: JSON.stringify([
        "commit",
        commit,
        scratch.head.ref,
        request.git,
        shown,
        committer(scratch.settings, scratch.host.identity),
        // Rules are kept in the workspace, too.
        [scratch.exclude, scratch.attributes, scratch.host.attributes].map((rules) => rules?.toString("base64")),
        carriedSettings(scratch.settings)
      ]),
      virtualMib: request.virtualMib,
      owner: request.owner,
      make: makeCommit(scratch, history, buildDirectory, request, shown).pipe(rejected(shown))
    })
    return { image, report: { ...report, git: { head: commit, ref: scratch.head.ref, mode: request.git } } }
  })

/** A view of the repository whose HEAD is the requested commit. */
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
      // A link may have taken the place of the path since a server judged it.
      if (real !== undefined && request.seedPath !== undefined) yield* demandReadable("seed_path", real)
      const repository = real === undefined ? undefined : localRepository(real)
      const scratch = repository === undefined
        ? undefined
        : yield* makeScratch(repository, folder, buildDirectory.namespaces)
      if (scratch === undefined || scratch.unfollowed !== undefined) {
        const detail = scratch?.unfollowed ?? "there is no repository that could be read"
        return yield* new SeedRejected({ path: source.path, detail })
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
    const about = { gitDir: undefined, urls: [source.shown], ref: fetched.ref }
    const scratch = yield* makeScratch({ _tag: "repository", repository }, folder, buildDirectory.namespaces, about)
    if (scratch.unfollowed !== undefined) return yield* noSuchRef(source, request.repoRef)
    const settings = new Map(scratch.settings).set("remote.origin.url", source.shown)
    const branch = fetched.ref?.slice("refs/heads/".length)
    if (branch !== undefined) {
      settings.set(`branch.${branch}.remote`, "origin").set(`branch.${branch}.merge`, `refs/heads/${branch}`)
    }
    const head = { commit: fetched.commit, ref: fetched.ref }
    return { ...scratch, settings, head, upstreamCommit: fetched.commit } satisfies Scratch
  })

/** A repository of the user at a real path, bare or with a work tree. */
const localRepository = (folder: string): Source | undefined => {
  const located = locateAt(folder)
  if (located._tag !== "none") return located
  return isBare(folder)
    ? { _tag: "repository", repository: { workTree: folder, gitDir: folder, commonDir: folder } }
    : undefined
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
    const commit = (yield* git(withoutTree(scratch.room), peel)).toString().trim()
    const ref = found.ref?.startsWith("refs/heads/") === true ? found.ref : undefined
    return { ...scratch, head: { commit, ref } }
  })

const makeCommit = (
  scratch: Scratch,
  history: History | undefined,
  { folder }: BuildDirectory,
  request: UrlRequest,
  shown: string
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
      yield* makeGitDirectory(scratch, yield* commitPlan(scratch, history, tree), directory)
      grafts.push({ at: ".git", directory })
    }
    return { archive, grafts }
  })

/** Maximum list of a tree: a tree that contains itself has no end. */
const mostListBytes = 256 * 1024 * 1024

/**
 * Reads the list of a commit's tree, before any file is made: the size of each file by its path in latin1, the bytes of all files, and
 * the time of the commit and its files.
 */
const commitTree = (scratch: Scratch) =>
  Effect.gen(function*() {
    const commit = scratch.head.commit!
    const listed = yield* git(withoutTree(scratch.room), ["ls-tree", "-r", "-l", "-z", "--full-tree", commit], {
      maxOutputBytes: mostListBytes,
      isLong: true
    })
    const sizes = new Map<string, number>()
    let bytes = 0
    for (const record of splitNul(listed)) {
      const tab = record.indexOf(9)
      const size = Number(record.toString("latin1", 0, tab).split(/ +/)[3])
      if (!Number.isSafeInteger(size)) continue // a submodule's commit has none
      sizes.set(record.toString("latin1", tab + 1), size)
      bytes += size
    }
    const said = yield* git(withoutTree(scratch.room), ["log", "-1", "--no-show-signature", "--format=%ct", commit])
    return { bytes, sizes, seconds: Number(said.toString().trim()) }
  })

type CommitTree = Effect.Success<ReturnType<typeof commitTree>>

/** Takes precedence over attributes of the tree, which could change, omit or fill in content. */
const plainly = "* -export-ignore -export-subst -text !eol -ident -filter !working-tree-encoding\n"

/** Writes a commit's files as a tar archive, with their content as in the repository. Returns the archive's path. */
const writeCommitTar = (scratch: Scratch) =>
  Effect.gen(function*() {
    const file = path.join(scratch.room.gitDir, "tree.tar")
    yield* writeFile(path.join(scratch.room.gitDir, "info/attributes"), plainly)
    yield* git(withoutTree(scratch.room), ["archive", "--format=tar", `--output=${file}`, scratch.head.commit!], {
      isLong: true
    })
    return file
  })

/** Plans the `.git` of a fresh check-out of the commit, with an index that knows the archive's files. */
const commitPlan = (scratch: Scratch, history: History, tree: CommitTree) =>
  Effect.gen(function*() {
    const file = path.join(scratch.room.gitDir, "index")
    yield* removeFile(file)
    yield* git(withoutTree(scratch.room), ["read-tree", "--index-output=" + file, scratch.head.commit!])
    const index = yield* readFile(file)
    for (const entry of indexEntries(index, scratch.idBytes) ?? []) {
      const size = tree.sizes.get(entry.path.toString("latin1"))
      believe(index, entry, size === undefined ? undefined : { mtimeSeconds: tree.seconds, size })
    }
    sealIndex(index, scratch.idBytes)
    yield* writeFile(file, index)
    const now = yield* nowMs
    const { identity } = scratch.host
    return yield* attempt("read", file, (): GitPlan => planGit(scratch, history, [], { identity, nowMs: now }))
  })
