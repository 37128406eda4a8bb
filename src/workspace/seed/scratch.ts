import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { writeFile } from "../../system/files/content.ts"
import { attempt } from "../../system/files/failure.ts"
import { ensureFolder } from "../../system/files/folders.ts"
import { git, GitFailed, type GitRoom } from "./confined-git.ts"
import { readBounded } from "./host-files.ts"
import type { Repository } from "./locate.ts"
import { sparseOf } from "./partial.ts"
import { type Head, readHead } from "./refs.ts"
import { carriedSettings, objectFormat, parseSettings, type Settings, type Sparse } from "./safe-config.ts"

/** pyro's view of a repository: a git directory of pyro's own with the repository's objects. */
export interface Scratch {
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
  /** Ignore rules of the repository, beside those in the tree. */
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
const objectFolders = (objects: string) => {
  const found = new Set<string>()
  const strange: Array<string> = []
  const visit = (folder: string, depth: number) => {
    if (found.has(folder) || found.size >= mostAlternates || depth > 5) return
    found.add(folder)
    const alternates = path.join(folder, "info", "alternates")
    // git opens this file, too.
    if (fs.lstatSync(alternates, { throwIfNoEntry: false })?.isFile() === false) strange.push(alternates)
    const borrowed = readBounded(alternates, mib)?.toString().split("\n") ?? []
    for (const line of borrowed) {
      if (line === "" || line.startsWith("#") || line.startsWith("\"") || line.includes("\0")) continue
      try {
        const other = fs.realpathSync(path.resolve(folder, line))
        // Only directories that look like an object store, not any directory that an entry names.
        if (fs.statSync(path.join(other, "pack")).isDirectory()) visit(other, depth + 1)
      } catch { /* it is not there: git could not use it either */ }
    }
  }
  visit(objects, 0)
  return { folders: [...found], strange }
}

const quoted = (file: string) => `"${file.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`

/** Parts of a split index lie beside it. */
const sharedIndex = /^sharedindex\.[0-9a-f]{40,64}$/

const mostIndexBytes = 1024 * mib

/**
 * Makes the git directory of a repository's view in an empty folder. It copies only HEAD, refs, index, exclude and shallow, and the
 * settings for the comparison of files. `undefined` for an unknown kind of repository.
 */
export const makeScratch = (repository: Repository, folder: string, namespaces: boolean) =>
  Effect.gen(function*() {
    const { commonDir, gitDir, workTree } = repository
    const { folders: objects, strange: [strange] } = yield* attempt("realpath", commonDir, () =>
      objectFolders(fs.realpathSync(path.join(commonDir, "objects"))))
    if (strange !== undefined) {
      return yield* new GitFailed({ command: "", detail: `${strange} is not a regular file` })
    }
    const room: GitRoom = { gitDir: folder, workTree, cwd: workTree, sees: objects, namespaces }
    const at = (name: string) =>
      path.join(folder, name)
    for (const made of ["objects/info", "objects/pack", "refs", "info"]) {
      yield* ensureFolder(at(made))
    }
    yield* writeFile(
      at("objects/info/alternates"),
      objects.map((file) =>
        `${quoted(file)}\n`
      ).join("")
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
    const readOf = (file: string, maxBytes: number) => attempt("read", file, () => readBounded(file, maxBytes))
    yield* writeFile(at("foreign"), (yield* readOf(path.join(commonDir, "config"), mib)) ?? "")
    const list = ["config", "--file", at("foreign"), "--no-includes", "--list", "-z"] as const
    const listed = () => git({ ...room, workTree: undefined, cwd: undefined }, list)
    const settings = parseSettings(yield* listed())
    const ofWorkTree = settings.has("extensions.worktreeconfig")
      ? yield* readOf(path.join(gitDir, "config.worktree"), mib)
      : undefined
    if (ofWorkTree !== undefined) yield* writeFile(at("foreign"), ofWorkTree)
    const own = ofWorkTree === undefined ? settings : parseSettings(yield* listed())
    const sparse = yield* attempt("read", gitDir, () => sparseOf(repository, settings, own))
    yield* write(settings)
    const head = readHead(repository)
    if (head === undefined || settings.has("extensions.refstorage")) return undefined
    yield* attempt("copyfile", gitDir, () => copyIndex(gitDir, folder))
    const exclude = yield* readOf(path.join(commonDir, "info", "exclude"), mib)
    const shallow = yield* readOf(path.join(commonDir, "shallow"), 16 * mib)
    if (exclude !== undefined) yield* writeFile(at("info/exclude"), exclude)
    if (shallow !== undefined) yield* writeFile(at("shallow"), shallow)
    const idBytes = objectFormat(settings) === "sha256" ? 32 : 20
    return { repository, room, head, settings, idBytes, shallow, exclude, sparse } satisfies Scratch
  })

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
