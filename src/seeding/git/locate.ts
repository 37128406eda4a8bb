import * as fs from "node:fs"
import * as path from "node:path"
import { readBounded } from "../tree/host-files.ts"

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

/** Whether a directory is a repository without a work tree, and no work tree that looks like one. */
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

/** A file that says `gitdir: PATH`. */
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
  return home !== undefined && fs.realpathSync(path.resolve(gitDir, home)) === workTree
    ? whole(workTree, gitDir, gitDir)
    : refused(workTree, notBack)
}

const notBack = "it points to a repository elsewhere, which does not point back"

/** `core.worktree` as git writes it for submodules: unquoted, on a line of its own. */
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
  // Only linked worktrees have one, and those were found before.
  if (gitDir === commonDir && fs.existsSync(path.join(gitDir, "commondir"))) {
    return refused(workTree, "it names another repository as its own")
  }
  return { _tag: "repository", repository: { workTree, gitDir, commonDir } }
}
