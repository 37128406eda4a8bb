import * as fs from "node:fs"
import * as path from "node:path"
import { realDirectory } from "../../../system/files/host-path.ts"
import { readBounded } from "../model/host-files.ts"
import { indexEntries } from "./index-file.ts"

/** A git repository with a work tree, by real paths. */
export interface Repository {
  readonly workTree: string
  /** Has HEAD and the index; of a linked worktree another folder than `commonDir`. */
  readonly gitDir: string
  /** Has objects, refs and the configuration. */
  readonly commonDir: string
}

export type Located =
  | { readonly _tag: "none" }
  | { readonly _tag: "repository"; readonly repository: Repository }
  /** The `.git` must not be followed. */
  | { readonly _tag: "refused"; readonly workTree: string; readonly reason: string }

const refused = (workTree: string, reason: string): Located => ({ _tag: "refused", workTree, reason })

/**
 * The repository of a directory, found as git does, with one exception. A `.git` that points out of its tree is followed only if
 * its target points back, as linked worktrees and submodules do. Otherwise an archive could claim another repository of the user.
 */
export const locate = (directory: string): Located => {
  for (let folder = directory;; folder = path.dirname(folder)) {
    const found = locateAt(folder)
    if (found._tag !== "none" || folder === path.dirname(folder)) return found
  }
}

/** Whether a directory is a repository without a work tree. */
export const isBare = (directory: string): boolean => {
  const typeOf = (name: string) => fs.lstatSync(path.join(directory, name), { throwIfNoEntry: false })
  return typeOf("HEAD")?.isFile() === true && typeOf("objects")?.isDirectory() === true &&
    typeOf("refs")?.isDirectory() === true && typeOf(".git") === undefined
}

/** The repository whose work tree begins at a directory. */
export const locateAt = (workTree: string): Located => {
  const at = path.join(workTree, ".git")
  const stat = fs.lstatSync(at, { throwIfNoEntry: false })
  if (stat === undefined) return { _tag: "none" }
  try {
    if (stat.isFile()) return throughFile(workTree, at)
    if (!stat.isDirectory() && !stat.isSymbolicLink()) return refused(workTree, "it is neither a directory nor a file")
    const gitDir = fs.realpathSync(at)
    if (!isBeneath(gitDir, workTree)) return refused(workTree, "it is a symlink that leads out of the directory")
    return whole(workTree, gitDir, gitDir)
  } catch (cause) {
    return refused(workTree, `it cannot be read: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`)
  }
}

export const isBeneath = (file: string, folder: string) => file === folder || file.startsWith(`${folder}/`)

/** The repository of a `.git` file with the line `gitdir: PATH`. */
const throughFile = (workTree: string, at: string): Located => {
  const said = /^gitdir: ([^\n\0]+)\n*$/.exec(readBounded(at, 8192)?.toString() ?? "")
  if (said === null) return refused(workTree, "it does not say where the repository is")
  const gitDir = fs.realpathSync(path.resolve(workTree, said[1]!))
  if (isBeneath(gitDir, workTree)) return whole(workTree, gitDir, gitDir)
  const back = readBounded(path.join(gitDir, "gitdir"), 8192)?.toString().trim()
  if (back !== undefined) {
    const commonDir = path.dirname(path.dirname(gitDir))
    const own = fs.realpathSync(path.resolve(gitDir, back)) === at &&
      path.basename(path.dirname(gitDir)) === "worktrees"
    return own ? whole(workTree, gitDir, commonDir) : refused(workTree, notBack)
  }
  const home = workTreeOf(gitDir)
  const isOurs = home === undefined
    ? path.basename(gitDir) !== ".git" && knowsFilesOf(gitDir, workTree)
    : fs.realpathSync(path.resolve(gitDir, home)) === workTree
  return isOurs
    ? whole(workTree, gitDir, gitDir)
    : refused(workTree, `${notBack}; git status there records its files, which lets pyro follow it`)
}

const MOST_INDEX_BYTES = 256 * 1024 * 1024

/** Maximum files to look at. One is enough, unless it was changed. */
const MOST_LOOKS = 1000

/**
 * Whether the index of a repository knows a file of the work tree by its inode and its time of change, which no archive can choose.
 * `git init --separate-git-dir` leaves no other trace of the work tree.
 */
const knowsFilesOf = (gitDir: string, workTree: string): boolean => {
  const index = readBounded(path.join(gitDir, "index"), MOST_INDEX_BYTES)
  if (index === undefined) return false
  const entries = indexEntries(index, 20) ?? indexEntries(index, 32) ?? []
  return entries.slice(0, MOST_LOOKS).some(({ offset, path: name }) => {
    const file = path.join(workTree, name.toString())
    // A link above the file could lead to the work tree of another repository.
    if (!isBeneath(file, workTree) || realDirectory(path.dirname(file)) !== path.dirname(file)) return false
    const stat = fs.lstatSync(file, { throwIfNoEntry: false, bigint: true })
    const seen = (at: number) => BigInt(index.readUInt32BE(offset + at))
    return stat?.isFile() === true && seen(0) === stat.ctimeMs / 1000n && seen(8) === stat.mtimeMs / 1000n &&
      seen(20) === (stat.ino & 0xffffffffn) && seen(36) === (stat.size & 0xffffffffn)
  })
}

const notBack = "it points to a repository elsewhere, which does not point back"

/** `core.worktree` as git writes it for submodules: unquoted, on a separate line. */
const workTreeOf = (gitDir: string) =>
  /^\[core\]\n(?:\t[^\n]*\n)*?\tworktree = ([^"\\\n;#]+)\n/m.exec(
    readBounded(path.join(gitDir, "config"), 1 << 20)?.toString() ?? ""
  )?.[1]

const whole = (workTree: string, gitDir: string, commonDir: string): Located => {
  const objects = fs.realpathSync(path.join(commonDir, "objects"))
  const sound = fs.lstatSync(path.join(gitDir, "HEAD"), { throwIfNoEntry: false })?.isFile() === true &&
    fs.lstatSync(path.join(commonDir, "refs"), { throwIfNoEntry: false })?.isDirectory() === true
  if (!sound) return refused(workTree, "it is no repository")
  if (!isBeneath(objects, commonDir)) return refused(workTree, "its objects are a symlink that leads out of it")
  // Only linked worktrees have this file, and `throughFile` found those.
  if (gitDir === commonDir && fs.existsSync(path.join(gitDir, "commondir"))) {
    return refused(workTree, "it names another repository as its own")
  }
  return { _tag: "repository", repository: { workTree, gitDir, commonDir } }
}

/** Content of HEAD: a commit, and its branch. */
export interface Head {
  /** Undefined on a branch without commits. */
  readonly commit: string | undefined
  /** As `refs/heads/main`; undefined when detached. */
  readonly ref: string | undefined
}

const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

export const isObjectId = (text: string) => objectId.test(text)

/** Names that git allows, and that name a file below `refs`. */
export const isRefName = (name: string) =>
  name.length < 1024 && /^refs(?:\/[^\0-\x20\x7f~^:?*[\\/\ufffd]+)+$/.test(name) &&
  !/(^|\/)\.|\.\.|@\{|\.(\/|$)|\.lock(\/|$)/.test(name)

const mostPackedRefs = 64 * 1024 * 1024

/** Refs in the `packed-refs` file of a repository. */
const packedRefs = (commonDir: string): Map<string, string> => {
  const text = readBounded(path.join(commonDir, "packed-refs"), mostPackedRefs)?.toString() ?? ""
  const lines = text.split("\n").map((line) => line.split(" "))
  return new Map(
    lines.flatMap(([id, name]) =>
      id !== undefined && name !== undefined && isObjectId(id) && isRefName(name) ? [[name, id] as const] : []
    )
  )
}

/** The commit of a ref. `undefined` for a missing or invalid ref. */
export const resolveRef = (commonDir: string, name: string, depth = 5): string | undefined => {
  if (!isRefName(name) || depth === 0) return undefined
  const said = readBounded(path.join(commonDir, name), 1024)?.toString().trim()
  if (said === undefined) return packedRefs(commonDir).get(name)
  return isObjectId(said)
    ? said
    : said.startsWith("ref: ")
    ? resolveRef(commonDir, said.slice(5), depth - 1)
    : undefined
}

export const readHead = ({ commonDir, gitDir }: Pick<Repository, "commonDir" | "gitDir">): Head | undefined => {
  const said = readBounded(path.join(gitDir, "HEAD"), 1024)?.toString().trim() ?? ""
  if (isObjectId(said)) return { commit: said, ref: undefined }
  const ref = said.startsWith("ref: ") ? said.slice(5).trim() : ""
  return isRefName(ref) ? { commit: resolveRef(commonDir, ref), ref } : undefined
}

/** Branches, tags and remote branches, without other refs such as stashes. */
const shared = /^refs\/(?:heads|tags|remotes)\//

const mostRefs = 1_000_000

export const sharedRefs = (commonDir: string): ReadonlyMap<string, string> => {
  const refs = new Map([...packedRefs(commonDir)].filter(([name]) => shared.test(name)))
  const visit = (folder: string) => {
    for (const entry of entriesOf(path.join(commonDir, folder))) {
      const name = `${folder}/${entry.name}`
      if (entry.isDirectory()) visit(name)
      const commit = entry.isFile() && refs.size < mostRefs ? resolveRef(commonDir, name) : undefined
      if (commit !== undefined) refs.set(name, commit)
    }
  }
  for (const folder of ["refs/heads", "refs/tags", "refs/remotes"]) visit(folder)
  return new Map([...refs].sort(([one], [other]) => one < other ? -1 : 1))
}

const entriesOf = (folder: string) => {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
