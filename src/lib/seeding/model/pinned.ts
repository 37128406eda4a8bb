import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import { attempt, type FileFailed } from "../../../system/files/failure.ts"
import { isLinux } from "../../../system/settings/this-computer.ts"
import { GitFailed } from "./git-failed.ts"

/** Identity of a host directory when pyro opened it. Later, another process may put a link in its place. */
export interface Pinned {
  /** Real path at that time. */
  readonly path: string
  readonly device: bigint
  readonly inode: bigint
}

/** A directory that stays open. */
export interface OpenDirectory extends Pinned {
  /** Path that always leads to the open directory. */
  readonly at: string
}

/** `O_PATH` of Linux (no constant of Node): the open needs no permission to list the directory. */
const flags = 0o10000000 | fs.constants.O_DIRECTORY

const descriptorPath = (fd: number) => `/proc/self/fd/${fd}`

const describeOpen = (fd: number): OpenDirectory => {
  const { dev: device, ino: inode } = fs.fstatSync(fd, { bigint: true })
  const at = descriptorPath(fd)
  return { path: fs.readlinkSync(at), device, inode, at }
}

/** The directory at a path, on computers without paths of open directories: its identity shows later whether it is another one. */
const describeHere = (given: string): OpenDirectory => {
  const real = fs.realpathSync(given)
  const stat = fs.lstatSync(real, { bigint: true })
  if (!stat.isDirectory()) throw Object.assign(new Error(`${real} is no directory`), { code: "ENOTDIR" })
  return { path: real, device: stat.dev, inode: stat.ino, at: real }
}

/** Whether the directory is still the one that was pinned. */
export const isStill = ({ device, inode, path }: Pinned): boolean => {
  const found = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return found?.isDirectory() === true && found.dev === device && found.ino === inode
}

/** Opens a directory while `use` runs. Follows links: `path` is where they led. */
export const withDirectory = <A>(path: string, use: (directory: OpenDirectory) => A): A => {
  if (!isLinux()) return use(describeHere(path))
  const fd = fs.openSync(path, flags)
  try {
    return use(describeOpen(fd))
  } finally {
    fs.closeSync(fd)
  }
}

/** Failure when a link replaced a file or a directory. */
export const replaced = (path: string) =>
  new GitFailed({ command: "", detail: `${path} was replaced while pyro read it` })

const unlessReplaced = (real: string, opened: Effect.Effect<OpenDirectory, FileFailed, Scope.Scope>) =>
  Effect.filterOrFail(opened, ({ path }) => path === real, () => replaced(real))

/** Opens the directory of a real path until the scope ends. Fails if the path leads through a link. */
export const openDirectory = (real: string): Effect.Effect<OpenDirectory, FileFailed | GitFailed, Scope.Scope> =>
  unlessReplaced(
    real,
    !isLinux() ? attempt("open", real, () => describeHere(real)) : Effect.acquireRelease(
      attempt("open", real, () => fs.openSync(real, flags)),
      (fd) => Effect.sync(() => fs.closeSync(fd))
    ).pipe(Effect.flatMap((fd) => attempt("open", real, () => describeOpen(fd))))
  )

/** Identity of the directory at a real path. Fails if the path leads through a link. */
export const pinDirectory = (real: string): Effect.Effect<Pinned, FileFailed | GitFailed> =>
  Effect.scoped(openDirectory(real))

/** Whether an open file is the one at its path. If the path begins with an open directory, no link may be beneath that directory. */
export const isItself = (file: string, fd: number): boolean => {
  if (!isLinux()) {
    const [opened, there] = [fs.fstatSync(fd, { bigint: true }), fs.lstatSync(file, { bigint: true })]
    return opened.ino === there.ino && opened.dev === there.dev
  }
  const [directory] = /^\/proc\/self\/fd\/\d+/.exec(file) ?? []
  return directory === undefined ||
    fs.readlinkSync(descriptorPath(fd)) === `${fs.readlinkSync(directory)}${file.slice(directory.length)}`
}
