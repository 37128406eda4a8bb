import { Context, Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { type InvalidConfiguration, NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { setting } from "../settings/config.ts"
import { ensureFolder } from "./entries.ts"
import { isDiskFull, toHostErrorOf } from "./failure.ts"

/**
 * Where pyro keeps things. `stateDir` holds what must not be lost, `cacheDir` what may vanish at any moment and is made anew,
 * `memoryDir` the memory files of running VMs (RAM-backed where possible). The first two exist; the last one from `haveMemoryDir` on. They
 * belong to this user and are 0700.
 */
export class Paths extends Context.Service<Paths, {
  readonly stateDir: string
  readonly cacheDir: string
  readonly memoryDir: string
}>()("pyro/system/Paths") {
  /** Directories named by `PYRO_STATE_DIR`, `PYRO_CACHE_DIR`, `PYRO_MEMORY_DIR`, else by XDG, else under the home directory. */
  static readonly layer = Layer.effect(Paths, Effect.suspend(() => make))
}

/** With an empty `HOME` Node's own answer is empty too. */
const home = Effect.map(setting("HOME"), (named) => named ?? os.userInfo().homedir)

/** The base directory specification wants relative ones ignored. */
const xdg = (variable: "XDG_STATE_HOME" | "XDG_CACHE_HOME", otherwise: string) =>
  Effect.flatMap(setting(variable), (named) =>
    named !== undefined && path.isAbsolute(named)
      ? Effect.succeed(named)
      : Effect.map(home, (folder) => path.join(folder, otherwise)))

/** The directory that a variable of pyro names, else `pyro` in the one that XDG names. */
const named = (
  variable: "PYRO_STATE_DIR" | "PYRO_CACHE_DIR",
  parent: Effect.Effect<string, InvalidConfiguration>
) =>
  Effect.flatMap(setting(variable), (directory) =>
    directory === undefined
      ? Effect.flatMap(parent, (folder) => ensure(variable, path.join(folder, "pyro")))
      : ensure(variable, directory))

/** Variables by which another process of this user, in whatever directory, comes to the same paths. */
export const pathVariables = (
  { cacheDir, memoryDir, stateDir }: Paths["Service"]
): Readonly<Record<string, string>> => ({
  PYRO_STATE_DIR: stateDir,
  PYRO_CACHE_DIR: cacheDir,
  PYRO_MEMORY_DIR: path.dirname(memoryDir)
})

const make = Effect.gen(function*() {
  const stateDir = yield* named("PYRO_STATE_DIR", xdg("XDG_STATE_HOME", ".local/state"))
  const cacheDir = yield* named("PYRO_CACHE_DIR", xdg("XDG_CACHE_HOME", ".cache"))
  // One folder per state directory (its inode names it), so that two installations of one user never sweep each other.
  const { dev, ino } = yield* usable("PYRO_STATE_DIR", stateDir, () => fs.statSync(stateDir))
  const store = (yield* setting(memoryVariable)) ?? defaultMemoryStore(stateDir)
  const memoryDir = path.resolve(store, `${memoryDirPrefix()}${dev.toString(36)}-${ino.toString(36)}`)
  yield* fs.existsSync(memoryDir) ? ensure(memoryVariable, memoryDir) : usableStore(path.dirname(memoryDir))
  return { stateDir, cacheDir, memoryDir }
})

/** Beginning of the names of this user's memory directories, of whichever state directory. */
export const memoryDirPrefix = () => `pyro-${process.getuid?.() ?? 0}-`

const memoryVariable = "PYRO_MEMORY_DIR"

/** Makes the memory directory unless it is there: it goes while no VM needs it. */
export const haveMemoryDir = ({ memoryDir }: Pick<Paths["Service"], "memoryDir">) => ensure(memoryVariable, memoryDir)

/** The memory directory, or the one that it would be made in. */
export const existingMemoryDir = (memoryDir: string) => fs.existsSync(memoryDir) ? memoryDir : path.dirname(memoryDir)

/** Anybody's directory in which this user may make one. */
const usableStore = (store: string) =>
  usable(memoryVariable, store, () => {
    makeFolders(store)
    if (!fs.statSync(store).isDirectory()) throw new Error("it is not a directory")
    fs.accessSync(store, fs.constants.W_OK | fs.constants.X_OK)
  })

/** `/dev/shm` where it can be written, else a folder on disk: slower, and `doctor` says so. */
const defaultMemoryStore = (stateDir: string) => {
  try {
    fs.accessSync("/dev/shm", fs.constants.W_OK | fs.constants.X_OK)
    return "/dev/shm"
  } catch {
    return stateDir
  }
}

/** Not `recursive`, which spins for ever where the parent is there and still refuses with ENOENT, as /proc does (Node 20). */
const makeFolders = (absolute: string) => {
  if (fs.existsSync(absolute)) return
  makeFolders(path.dirname(absolute))
  try {
    fs.mkdirSync(absolute, { mode: 0o700 })
  } catch (cause) {
    // Somebody else was faster.
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
  }
}

const ensure = (variable: string, directory: string) =>
  usable(variable, directory, () => {
    const absolute = path.resolve(directory)
    makeFolders(absolute)
    const stat = fs.lstatSync(absolute)
    if (!fs.statSync(absolute).isDirectory()) throw new Error("it is not a directory")
    if (stat.uid !== process.getuid?.()) {
      throw new Error(`it belongs to uid ${stat.uid}, not to ${process.getuid?.()}, whose it must be`)
    }
    if ((stat.mode & 0o077) !== 0 && !stat.isSymbolicLink()) fs.chmodSync(absolute, 0o700)
    fs.accessSync(absolute, fs.constants.W_OK | fs.constants.X_OK)
    return absolute
  })

const usable = <A>(variable: string, directory: string, make: () => A) =>
  Effect.try({
    try: make,
    catch: (cause) =>
      isDiskFull(cause)
        ? new NoSpace({ where: `directory of ${variable}`, path: directory, neededMib: 1, availableMib: 0 })
        : new StateDirectoryUnusable({
          path: directory,
          detail: `${variable}: ${cause instanceof Error ? cause.message : String(cause)}`
        })
  })

/** Files of the daemon. They belong to the state directory, not to a login session. The folder exists. */
export const daemonFiles = Effect.flatMap(Paths, ({ stateDir }) => {
  const folder = path.join(stateDir, "daemon")
  return ensureFolder(folder).pipe(
    Effect.mapError(toHostErrorOf(stateDir)),
    Effect.as({
      record: path.join(folder, "daemon.json"),
      lock: path.join(folder, "lock"),
      socket: path.join(folder, "socket"),
      log: path.join(folder, "log")
    })
  )
})
