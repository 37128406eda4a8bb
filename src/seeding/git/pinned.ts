import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import { attempt, type FileFailed } from "../../system/files/failure.ts"
import { GitFailed } from "./git-failed.ts"

/** A directory of the host as it was when pyro opened it: another process may put a link into its place later. */
export interface Pinned {
  /** Its real path then. */
  readonly path: string
  readonly device: bigint
  readonly inode: bigint
}

/** A directory that stays open. */
export interface Held extends Pinned {
  /** Path that leads to the open directory, whatever takes its place. */
  readonly at: string
}

/** `O_PATH`, which Node does not name: a directory needs no permission to be listed. */
const flags = 0o10000000 | fs.constants.O_DIRECTORY

const descriptorPath = (fd: number) => `/proc/self/fd/${fd}`

const heldBy = (fd: number): Held => {
  const { dev: device, ino: inode } = fs.fstatSync(fd, { bigint: true })
  const at = descriptorPath(fd)
  return { path: fs.readlinkSync(at), device, inode, at }
}

/** Opens a directory for the time of `use`. Follows links: `path` of the result says where they led. */
export const withDirectory = <A>(path: string, use: (held: Held) => A): A => {
  const fd = fs.openSync(path, flags)
  try {
    return use(heldBy(fd))
  } finally {
    fs.closeSync(fd)
  }
}

/** That a link has taken the place of a file or a directory. */
export const replaced = (path: string) =>
  new GitFailed({ command: "", detail: `${path} was replaced while pyro read it` })

const unlessReplaced = (real: string, opened: Effect.Effect<Held, FileFailed, Scope.Scope>) =>
  Effect.filterOrFail(opened, ({ path }) => path === real, () => replaced(real))

/** Opens the directory of a real path until the scope ends. Fails if the path leads through a link. */
export const holdDirectory = (real: string): Effect.Effect<Held, FileFailed | GitFailed, Scope.Scope> =>
  unlessReplaced(
    real,
    Effect.acquireRelease(
      attempt("open", real, () => fs.openSync(real, flags)),
      (fd) => Effect.sync(() => fs.closeSync(fd))
    ).pipe(Effect.flatMap((fd) => attempt("open", real, () => heldBy(fd))))
  )

/** What the directory of a real path is. Fails if the path leads through a link. */
export const pinDirectory = (real: string): Effect.Effect<Pinned, FileFailed | GitFailed> =>
  Effect.scoped(holdDirectory(real))

/** Whether an open file is the one that its path names, with no link beneath the open directory that the path begins with. */
export const isItself = (file: string, fd: number): boolean => {
  const [directory] = /^\/proc\/self\/fd\/\d+/.exec(file) ?? []
  return directory === undefined ||
    fs.readlinkSync(descriptorPath(fd)) === `${fs.readlinkSync(directory)}${file.slice(directory.length)}`
}
