import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { writeFile } from "../../system/files/content.ts"
import { ensureFolder } from "../../system/files/entries.ts"
import { attempt } from "../../system/files/failure.ts"
import { readBounded } from "../host-files.ts"
import type { GitRoom } from "./confined-git.ts"
import { GitFailed } from "./git-failed.ts"
import { type OpenDirectory, openDirectory, type Pinned, replaced, withDirectory } from "./pinned.ts"
import { type Head, isBeneath, readHead, type Repository } from "./repository.ts"
import { carriedSettings, isTrue, objectFormat, type Settings, settingsIn, type Sparse } from "./safe-config.ts"

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
  /** Ignore rules of the repository outside its tree. */
  readonly exclude: Buffer | undefined
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

/**
 * Makes the git directory of a repository's view in an empty folder. It copies only HEAD, refs, index, exclude and shallow, and the
 * settings for the comparison of files. `undefined` for an unknown kind of repository.
 */
export const makeScratch = (repository: Repository, folder: string, namespaces: boolean) =>
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
    const room: GitRoom = { gitDir: folder, workTree, cwd: workTree, sees: folders, namespaces }
    const at = (name: string) => path.join(folder, name)
    for (const made of ["objects/info", "objects/pack", "refs", "info"]) {
      yield* ensureFolder(at(made))
    }
    yield* writeFile(
      at("objects/info/alternates"),
      folders.map((one) => `${quoted(one.path)}\n`).join("")
    )
    yield* writeFile(at("HEAD"), "ref: refs/heads/none\n")
    const write = (settings: Settings) =>
      writeFile(
        at("config"),
        `[core]\n\trepositoryformatversion = ${objectFormat(settings) === "sha256" ? 1 : 0}\n\tbare = false\n${
          carriedSettings(settings).map(([name, value]) => `\t${name} = ${value}\n`).join("")
        }${objectFormat(settings) === "sha256" ? "[extensions]\n\tobjectformat = sha256\n" : ""}`
      )
    yield* write(new Map())
    const readOf = (from: OpenDirectory, name: string, maxBytes: number) =>
      attempt("read", path.join(from.path, name), () => readBounded(path.join(from.at, name), maxBytes))
    yield* writeFile(at("foreign"), (yield* readOf(commonDir, "config", mib)) ?? "")
    const listed = settingsIn(room, at("foreign"))
    const settings = yield* listed
    const ofWorkTree = settings.has("extensions.worktreeconfig")
      ? yield* readOf(gitDir, "config.worktree", mib)
      : undefined
    if (ofWorkTree !== undefined) yield* writeFile(at("foreign"), ofWorkTree)
    const own = ofWorkTree === undefined ? settings : yield* listed
    const sparse = yield* attempt("read", gitDir.path, () => sparseOf(opened, settings, own))
    yield* write(settings)
    const head = readHead(opened)
    if (head === undefined || settings.has("extensions.refstorage")) return undefined
    yield* attempt("copyfile", gitDir.path, () => copyIndex(gitDir.at, folder))
    const exclude = yield* readOf(commonDir, "info/exclude", mib)
    const shallow = yield* readOf(commonDir, "shallow", 16 * mib)
    if (exclude !== undefined) yield* writeFile(at("info/exclude"), exclude)
    if (shallow !== undefined) yield* writeFile(at("shallow"), shallow)
    const idBytes = objectFormat(settings) === "sha256" ? 32 : 20
    return { repository: opened, room, head, settings, idBytes, shallow, exclude, sparse } satisfies Scratch
  })

const mostPatternBytes = 16 * mib

/** The sparse checkout of a work tree. git keeps its settings in a file of each work tree. */
const sparseOf = ({ gitDir }: Repository, common: Settings, ofWorkTree: Settings): Sparse | undefined => {
  const setting = (name: string) => ofWorkTree.get(name) ?? common.get(name)
  if (!isTrue(setting("core.sparsecheckout"))) return undefined
  const patterns = readBounded(path.join(gitDir, "info", "sparse-checkout"), mostPatternBytes)
  return patterns === undefined ? undefined : { patterns, isCone: isTrue(setting("core.sparsecheckoutcone")) }
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
