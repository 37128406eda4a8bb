import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

/** The home directory, with links resolved if it exists. */
const homeDirectory = (): string => realPath(os.homedir()) ?? os.homedir()

/** The working directory of this process. */
export const workingDirectory = (): string => process.cwd()

/** A path as people write it: `~` is the home directory, and relative paths start at `base`. */
export const absolutePath = (named: string, base: string): string =>
  named === "~" || named.startsWith("~/") || named.startsWith(`~${path.sep}`)
    ? path.join(os.homedir(), named.slice(1))
    : path.resolve(base, named)

/** A program's path, resolved in its working directory. `-` and the empty path stay unchanged. */
export const callersPath = (named: string): string => named === "-" || named === "" ? named : path.resolve(named)

/** The path in a `file:` URL of this host. Undefined for any other text. */
export const pathOfUrl = (url: string): string | undefined => {
  try {
    return fileURLToPath(url)
  } catch {
    return undefined
  }
}

/** A path with all links resolved. Undefined if it does not exist. */
export const realPath = (file: string): string | undefined => {
  try {
    return fs.realpathSync(file)
  } catch {
    return undefined
  }
}

/**
 * The real path of a file that may not exist yet: links of the folders above it are resolved, by the nearest existing folder, but not the
 * file's own name.
 */
export const realPlace = (file: string): string => {
  const parent = path.dirname(file)
  if (parent === file) return file
  return path.join(realPath(parent) ?? realPlace(parent), path.basename(file))
}

export const isBeneath = (file: string, folder: string): boolean =>
  file === folder || file.startsWith(folder.endsWith(path.sep) ? folder : `${folder}${path.sep}`)

/** Whether a path leads to a directory that this user can reach. */
export const isDirectory = (file: string): boolean => {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    return false
  }
}

/** The real path of a directory. Undefined for anything else. */
export const realDirectory = (file: string): string | undefined => isDirectory(file) ? realPath(file) : undefined

/** Whether two paths lead to one file that this user can reach. */
export const isSameFile = (one: string, other: string): boolean => {
  if (one === other) return true
  try {
    const [a, b] = [fs.statSync(one), fs.statSync(other)]
    return a.ino === b.ino && a.dev === b.dev
  } catch {
    return false
  }
}

/** Whether a directory, by its real path, can be a project: home directories, and directories that contain one, cannot. */
export const canBeProject = (real: string): boolean => isDirectory(real) && !isBeneath(homeDirectory(), real)

/**
 * The project around a directory, by its real path: the git work tree, else the directory itself. Undefined where neither can be a project. A home
 * directory may be a work tree of dotfiles, so a directory in it is a project of its own.
 */
export const projectAround = (directory: string): string | undefined =>
  [gitRootOf(directory), directory].flatMap((one) => one === undefined ? [] : [realPath(one)])
    .find((real) => real !== undefined && canBeProject(real))

/** The file in which a repository says which workspace it needs. */
export const PROJECT_FILE = "pyro.toml"
/** A manifest of npm, which may say the same. */
export const PACKAGE_FILE = "package.json"
const MAX_PACKAGE_BYTES = 1_048_576

/** Value for pyro in the text of a package.json. Undefined if there is none, or if the text is no JSON. */
export const packageValue = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""))
    return typeof value === "object" && value !== null && Object.hasOwn(value, "pyro")
      ? (value as { readonly pyro: unknown }).pyro
      : undefined
  } catch {
    return undefined
  }
}

/** Whether a directory has a project's file, or a package.json with a value for pyro. Cheap, for programs that read neither. */
export const mayHaveProjectFile = (directory: string): boolean => {
  if (fs.existsSync(path.join(directory, PROJECT_FILE))) return true
  try {
    const file = path.join(directory, PACKAGE_FILE)
    const stat = fs.lstatSync(file, { throwIfNoEntry: false })
    return stat?.isFile() === true && stat.size <= MAX_PACKAGE_BYTES &&
      packageValue(fs.readFileSync(file, "utf8")) !== undefined
  } catch {
    return false
  }
}

/** The nearest folder at or above another that has a `.git`. */
const gitRootOf = (folder: string): string | undefined => {
  for (let at = folder;; at = path.dirname(at)) {
    if (fs.existsSync(path.join(at, ".git"))) return at
    if (at === path.dirname(at)) return undefined
  }
}

/** Identity of one build of a program, without running it: a new version has a new inode, size or time. */
export const fileIdentity = (file: string): string => {
  const real = fs.realpathSync(file)
  const { ino, mtimeMs, size } = fs.statSync(real)
  return `${real}:${ino}:${size}:${mtimeMs}`
}
