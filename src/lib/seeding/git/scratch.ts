import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing } from "../../../contract/errors/errors.ts"
import { printable } from "../../../contract/text/printable.ts"
import { writeFile } from "../../../system/files/content.ts"
import { ensureFolder } from "../../../system/files/entries.ts"
import { attempt, type FileFailed } from "../../../system/files/failure.ts"
import { GitFailed } from "../model/git-failed.ts"
import { readBounded } from "../model/host-files.ts"
import { type OpenDirectory, openDirectory, type Pinned, replaced, withDirectory } from "../model/pinned.ts"
import type { GitRoom } from "./confined-git.ts"
import { type ConfiguredRepository, type HostConfig, hostConfig } from "./host-config.ts"
import { type Head, isBeneath, type Located, readHead, type Repository } from "./repository.ts"
import {
  carriedSettings,
  isTrue,
  objectFormat,
  remoteUrls,
  type Settings,
  settingsIn,
  type Sparse
} from "./safe-config.ts"

/** pyro's view of a repository: pyro's own git directory, which borrows the repository's objects. */
export interface Scratch {
  /** With paths to its open directories. */
  readonly repository: Repository
  readonly room: GitRoom
  readonly head: Head
  readonly settings: Settings
  /** Bytes of an object's id. */
  readonly idBytes: number
  /** Commits without parents in a shallow repository. */
  readonly shallow: Buffer | undefined
  /** Known commit of the branch's upstream, if no ref has it. */
  readonly upstreamCommit?: string | undefined
  /** Ignore rules outside of the tree: those of the host's user, then those of the repository, which precede them. */
  readonly exclude: Buffer | undefined
  /** Attributes of the repository outside of the tree. */
  readonly attributes: Buffer | undefined
  /** Configuration of the host's user. */
  readonly host: HostConfig
  /** Why the guest gets no `.git` of it, although the rules of its tree hold. */
  readonly unfollowed?: string | undefined
  /** @default every tracked file is on the disk */
  readonly sparse?: Sparse | undefined
}

const mib = 1024 * 1024
const mostAlternates = 64

/**
 * Object directories of a repository, with borrowed ones (`git clone --shared`) up to git's depth of five. Also lists of borrowed
 * directories that are special files.
 */
const objectFolders = (commonDir: OpenDirectory) => {
  const found = new Map<string, Pinned>()
  const strange: Array<string> = []
  const visit = ({ at, ...folder }: OpenDirectory, depth: number) => {
    if (found.has(folder.path) || found.size >= mostAlternates || depth > 5) return
    found.set(folder.path, folder)
    const alternates = path.join(at, "info", "alternates")
    // git opens this file, too.
    if (fs.lstatSync(alternates, { throwIfNoEntry: false })?.isFile() === false) {
      strange.push(path.join(folder.path, "info", "alternates"))
    }
    const borrowed = readBounded(alternates, mib)?.toString().split("\n") ?? []
    for (const line of borrowed) {
      if (line === "" || line.startsWith("#") || line.startsWith("\"") || line.includes("\0")) continue
      try {
        withDirectory(path.resolve(folder.path, line), (other) => {
          // Only directories that look like an object store, not any directory that an entry names.
          if (fs.statSync(path.join(other.at, "pack")).isDirectory()) visit(other, depth + 1)
        })
      } catch { /* The directory is missing: git could not use it either. */ }
    }
  }
  return withDirectory(path.join(commonDir.at, "objects"), (objects) => {
    if (!isBeneath(objects.path, commonDir.path)) return undefined
    visit(objects, 0)
    return { folders: [...found.values()], strange }
  })
}

const quoted = (file: string) => `"${file.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`

/** A part of a split index, in the same directory. */
const sharedIndex = /^sharedindex\.[0-9a-f]{40,64}$/

const mostIndexBytes = 1024 * mib

/** A repository, or a work tree whose `.git` must not be followed. */
export type Source = Exclude<Located, { readonly _tag: "none" }>

/** Makes the git directory of a view in an empty folder. `about`: the repository that decides about conditional includes of the user's configuration. */
export const makeScratch = (
  source: Source,
  folder: string,
  namespaces: boolean,
  about: Partial<ConfiguredRepository> = {}
): Effect.Effect<Scratch, FileFailed | GitFailed | HostToolMissing, Scope.Scope> =>
  source._tag === "repository"
    ? viewOf(source.repository, folder, namespaces, about)
    : viewOfRules(source, folder, namespaces)

/** Makes an empty git directory that borrows the objects of others. */
const makeEmpty = (folder: string, objects: ReadonlyArray<Pinned>) =>
  Effect.gen(function*() {
    const at = (name: string) => path.join(folder, name)
    for (const made of ["objects/info", "objects/pack", "refs", "info"]) yield* ensureFolder(at(made))
    yield* writeFile(at("objects/info/alternates"), objects.map((one) => `${quoted(one.path)}\n`).join(""))
    yield* writeFile(at("HEAD"), "ref: refs/heads/none\n")
  })

/** Writes the settings of a view for the comparison of files. */
const writeSettings = (folder: string, settings: Settings) =>
  writeFile(
    path.join(folder, "config"),
    `[core]\n\trepositoryformatversion = ${objectFormat(settings) === "sha256" ? 1 : 0}\n\tbare = false\n${
      carriedSettings(settings).map(([name, value]) => `\t${name} = ${value}\n`).join("")
    }${objectFormat(settings) === "sha256" ? "[extensions]\n\tobjectformat = sha256\n" : ""}`
  )

/** Writes the rules that are in no file of a tree. Gives the ignore rules. */
const writeRules = (folder: string, host: HostConfig, exclude: Buffer | undefined, attributes: Buffer | undefined) =>
  Effect.gen(function*() {
    const lists = [host.excludes, exclude === undefined ? undefined : withoutMark(exclude)]
    const all = lists.flatMap((list) => list === undefined ? [] : [list])
    const rules = all.length === 0 ? undefined : Buffer.concat(all)
    if (rules !== undefined) yield* writeFile(path.join(folder, "info/exclude"), rules)
    if (attributes !== undefined) yield* writeFile(path.join(folder, "info/attributes"), attributes)
    if (host.attributes !== undefined) yield* writeFile(path.join(folder, USER_ATTRIBUTES), host.attributes)
    return rules
  })

/** Without the mark of UTF-8, which git skips only at the beginning of a file. */
const withoutMark = (rules: Buffer) => rules.subarray(rules.toString("latin1", 0, 3) === "\xef\xbb\xbf" ? 3 : 0)

/** The view of a work tree without a repository: it has no tracked file, but ignore rules. */
const viewOfRules = (
  { reason, workTree: real }: Extract<Source, { readonly _tag: "refused" }>,
  folder: string,
  namespaces: boolean
) =>
  Effect.gen(function*() {
    const workTree = yield* openDirectory(real)
    yield* makeEmpty(folder, [])
    const about = { gitDir: undefined, workTree: workTree.at, urls: [] }
    const host = yield* hostConfig(about, path.join(folder, "host"))
    yield* writeSettings(folder, host.carried)
    const exclude = yield* writeRules(folder, host, undefined, undefined)
    return {
      repository: { workTree: workTree.at, gitDir: folder, commonDir: folder },
      room: { gitDir: folder, workTree, cwd: workTree, sees: [], namespaces, ...attributesOf(host) },
      head: nowhere,
      settings: host.carried,
      idBytes: 20,
      shallow: undefined,
      exclude,
      attributes: undefined,
      host,
      unfollowed: reason
    } satisfies Scratch
  })

const nowhere: Head = { commit: undefined, ref: undefined }

/** Name of the user's attribute file in a view. */
const USER_ATTRIBUTES = "user-attributes"

const attributesOf = ({ attributes }: HostConfig) => attributes === undefined ? {} : { attributesFile: USER_ATTRIBUTES }

/**
 * Copies only HEAD, refs, index, rules and shallow of a repository, and the settings for the comparison of files.
 */
const viewOf = (
  repository: Repository,
  folder: string,
  namespaces: boolean,
  about: Partial<ConfiguredRepository>
) =>
  Effect.gen(function*() {
    const workTree = yield* openDirectory(repository.workTree)
    const gitDir = yield* openDirectory(repository.gitDir)
    const commonDir = repository.commonDir === repository.gitDir ? gitDir : yield* openDirectory(repository.commonDir)
    // From here on all files come from the open directories, also if another one takes their place.
    const opened: Repository = { workTree: workTree.at, gitDir: gitDir.at, commonDir: commonDir.at }
    const objects = yield* attempt("open", path.join(commonDir.path, "objects"), () => objectFolders(commonDir))
    if (objects === undefined) return yield* replaced(path.join(commonDir.path, "objects"))
    const { folders, strange: [strange] } = objects
    if (strange !== undefined) {
      return yield* new GitFailed({ command: "", detail: `${strange} is not a regular file` })
    }
    const open: GitRoom = { gitDir: folder, workTree, cwd: workTree, sees: folders, namespaces }
    const at = (name: string) => path.join(folder, name)
    yield* makeEmpty(folder, folders)
    yield* writeSettings(folder, new Map())
    const readOf = (from: OpenDirectory, name: string, maxBytes: number) =>
      attempt("read", path.join(from.path, name), () => readBounded(path.join(from.at, name), maxBytes))
    yield* writeFile(at("foreign"), (yield* readOf(commonDir, "config", mib)) ?? "")
    const listed = settingsIn(open, at("foreign"))
    const common = yield* listed
    const ofWorkTree = isTrue(common.get("extensions.worktreeconfig"))
      ? yield* readOf(gitDir, "config.worktree", mib)
      : undefined
    if (ofWorkTree !== undefined) yield* writeFile(at("foreign"), ofWorkTree)
    const own = ofWorkTree === undefined ? new Map<string, string>() : yield* listed
    const ofRepository = new Map([...common, ...[...own].filter(([name]) => !name.startsWith("extensions."))])
    const sparse = yield* attempt("read", gitDir.path, () => sparseOf(opened, ofRepository))
    const found = readHead(opened)
    const refStorage = common.get("extensions.refstorage")?.toLowerCase() ?? "files"
    const host = yield* hostConfig({
      gitDir: found === undefined && refStorage === "files" ? undefined : repository.gitDir,
      workTree: workTree.at,
      urls: remoteUrls(ofRepository),
      ...about
    }, at("host"))
    const settings = new Map([...host.carried, ...ofRepository, ...host.given])
    yield* writeSettings(folder, settings)
    yield* attempt("copyfile", gitDir.path, () => copyIndex(gitDir.at, folder))
    const attributes = yield* readOf(commonDir, "info/attributes", mib)
    const exclude = yield* writeRules(folder, host, yield* readOf(commonDir, "info/exclude", mib), attributes)
    const shallow = yield* readOf(commonDir, "shallow", 16 * mib)
    if (shallow !== undefined) yield* writeFile(at("shallow"), shallow)
    const idBytes = objectFormat(settings) === "sha256" ? 32 : 20
    const room = { ...open, ...attributesOf(host) }
    const unfollowed = refStorage !== "files"
      ? `its references are in the format ${printable(refStorage)}, which pyro cannot read; ` +
        "git refs migrate --ref-format=files makes them readable"
      : found === undefined
      ? "its HEAD names no branch and no commit"
      : undefined
    const head = found ?? nowhere
    return {
      repository: opened,
      room,
      head,
      settings,
      idBytes,
      shallow,
      exclude,
      attributes,
      host,
      sparse,
      unfollowed
    } satisfies Scratch
  })

const mostPatternBytes = 16 * mib

/** The sparse checkout of a work tree. git keeps its settings in a file of each work tree. */
const sparseOf = ({ gitDir }: Repository, settings: Settings): Sparse | undefined => {
  if (!isTrue(settings.get("core.sparsecheckout"))) return undefined
  const patterns = readBounded(path.join(gitDir, "info", "sparse-checkout"), mostPatternBytes)
  return patterns === undefined ? undefined : { patterns, isCone: isTrue(settings.get("core.sparsecheckoutcone")) }
}

const copyIndex = (gitDir: string, folder: string) => {
  const names = fs.readdirSync(gitDir).filter((name) => name === "index" || sharedIndex.test(name))
  for (const name of names) {
    const content = readBounded(path.join(gitDir, name), mostIndexBytes)
    if (content === undefined) continue
    const copy = path.join(folder, name)
    fs.writeFileSync(copy, content)
    // git compares its time with the times of files to find files that changed in the second of its write.
    const seconds = fs.lstatSync(path.join(gitDir, name)).mtimeMs / 1000
    fs.utimesSync(copy, seconds, seconds)
  }
}
