import { Context, Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { type InvalidConfiguration, NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { ProcessVariables, setting } from "../settings/config.ts"
import { isLinux, isWindows } from "../settings/this-computer.ts"
import { ensureFolder } from "./entries.ts"
import { isDiskFull, toHostErrorOf } from "./failure.ts"

/**
 * Directories of pyro: `stateDir` has what must not be lost, `cacheDir` what may be removed at any moment and is made again, `memoryDir` the
 * memory files of running VMs (in RAM if possible). The first two exist; the last one exists after `haveMemoryDir`. They belong to this
 * user with mode 0700.
 */
export class Paths extends Context.Service<Paths, {
  readonly stateDir: string
  readonly cacheDir: string
  readonly memoryDir: string
}>()("pyro/system/Paths") {
  /**
   * Directories named by `PYRO_STATE_DIR`, `PYRO_CACHE_DIR`, `PYRO_MEMORY_DIR`, else by XDG, else under the home directory. macOS has the same ones:
   * the path of ~/Library/Application Support leaves no room for the sockets of ssh. Windows has its own for programs of one user.
   */
  static readonly layer = Layer.effect(Paths, Effect.suspend(() => make))
  /** The same with another state directory than that of the environment, for programs with several. */
  static readonly layerIn = (stateDir: string) =>
    Layer.effect(
      Paths,
      Effect.flatMap(ProcessVariables, (values) =>
        Effect.provideService(make, ProcessVariables, { ...values, PYRO_STATE_DIR: stateDir }))
    )
}

/** Node's own answer is empty for an empty `HOME`. */
const home = Effect.map(setting("HOME"), (named) => named ?? os.userInfo().homedir)

/** The base directory specification ignores relative paths. */
const xdg = (variable: "XDG_STATE_HOME" | "XDG_CACHE_HOME", otherwise: string) =>
  Effect.flatMap(setting(variable), (named) =>
    named !== undefined && path.isAbsolute(named)
      ? Effect.succeed(named)
      : Effect.map(home, (folder) => path.join(folder, otherwise)))

/** Windows' folder for what programs keep for one user on one computer. Only this user and administrators reach it. */
const localAppData = Effect.flatMap(setting("LOCALAPPDATA"), (folder) =>
  folder !== undefined && path.isAbsolute(folder)
    ? Effect.succeed(folder)
    : Effect.map(home, (own) => path.join(own, "AppData", "Local")))

/** The directory in a variable of pyro, else that of this system. */
const named = (
  variable: "PYRO_STATE_DIR" | "PYRO_CACHE_DIR",
  parent: Effect.Effect<string, InvalidConfiguration>,
  onWindows: string
) =>
  Effect.flatMap(setting(variable), (directory) =>
    directory !== undefined
      ? ensure(variable, directory)
      : Effect.flatMap(
        isWindows()
          ? Effect.map(localAppData, (folder) => path.join(folder, "pyro", onWindows))
          : Effect.map(parent, (folder) => path.join(folder, "pyro")),
        (folder) => ensure(variable, folder)
      ))

/** Variables that give another process of this user the same paths, in any working directory. */
export const pathVariables = (
  { cacheDir, memoryDir, stateDir }: Paths["Service"]
): Readonly<Record<string, string>> => ({
  PYRO_STATE_DIR: stateDir,
  PYRO_CACHE_DIR: cacheDir,
  PYRO_MEMORY_DIR: path.dirname(memoryDir)
})

const make = Effect.gen(function*() {
  const stateDir = yield* named("PYRO_STATE_DIR", xdg("XDG_STATE_HOME", ".local/state"), "state")
  const cacheDir = yield* named("PYRO_CACHE_DIR", xdg("XDG_CACHE_HOME", ".cache"), "cache")
  // One folder per state directory, named by its inode, so that two installations of one user never sweep each other.
  const { dev, ino } = yield* usable("PYRO_STATE_DIR", stateDir, () => fs.statSync(stateDir))
  const store = (yield* setting(memoryVariable)) ?? defaultMemoryStore(stateDir)
  const memoryDir = path.resolve(store, `${memoryDirPrefix()}${dev.toString(36)}-${ino.toString(36)}`)
  yield* fs.existsSync(memoryDir) ? ensure(memoryVariable, memoryDir) : usableStore(path.dirname(memoryDir))
  return { stateDir, cacheDir, memoryDir }
})

/** Prefix of this user's memory directories, for any state directory. */
export const memoryDirPrefix = () => `pyro-${process.getuid?.() ?? 0}-`

const memoryVariable = "PYRO_MEMORY_DIR"

/** Makes the memory directory if it is missing: it is removed while no VM needs it. */
export const haveMemoryDir = ({ memoryDir }: Pick<Paths["Service"], "memoryDir">) => ensure(memoryVariable, memoryDir)

/** The memory directory, or its parent if it is missing. */
export const existingMemoryDir = (memoryDir: string) => fs.existsSync(memoryDir) ? memoryDir : path.dirname(memoryDir)

/** Checks that this user may make a directory in `store`, which may belong to anyone. */
const usableStore = (store: string) =>
  usable(memoryVariable, store, () => {
    makeFolders(store)
    if (!fs.statSync(store).isDirectory()) throw new Error("it is not a directory")
    fs.accessSync(store, fs.constants.W_OK | fs.constants.X_OK)
  })

/** `/dev/shm` if this user may write it, else a folder on disk, which is slower: `doctor` reports it. */
const defaultMemoryStore = (stateDir: string) => {
  if (!isLinux()) return stateDir
  try {
    fs.accessSync("/dev/shm", fs.constants.W_OK | fs.constants.X_OK)
    return "/dev/shm"
  } catch {
    return stateDir
  }
}

/** Not `recursive`: it loops for ever if the parent exists but refuses with ENOENT, as /proc does (Node 20). */
const makeFolders = (absolute: string) => {
  if (fs.existsSync(absolute)) return
  makeFolders(path.dirname(absolute))
  try {
    fs.mkdirSync(absolute, { mode: 0o700 })
  } catch (cause) {
    // Another process was faster.
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
  }
}

const ensure = (variable: string, directory: string) =>
  usable(variable, directory, () => {
    const absolute = path.resolve(directory)
    makeFolders(absolute)
    const stat = fs.lstatSync(absolute)
    if (!fs.statSync(absolute).isDirectory()) throw new Error("it is not a directory")
    // Modes and owners of Windows are access lists, which a new folder has from the folder above.
    if (process.getuid !== undefined && stat.uid !== process.getuid()) {
      throw new Error(`it belongs to uid ${stat.uid}, not to ${process.getuid()}, whose it must be`)
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
      /** For programs of other machines: the form of messages is that between builds. */
      portable: path.join(folder, "portable"),
      /** For this machine's own doors to the network: each connection begins with the identity of a client. */
      door: path.join(folder, "door"),
      log: path.join(folder, "log"),
      page: path.join(folder, "page.json"),
      /** Files of clients of other machines. */
      spool: path.join(folder, "spool")
    })
  )
})
