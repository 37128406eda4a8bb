import { Context, Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { StateDirectoryUnusable } from "../contract/errors.ts"

/**
 * Where pyro keeps things. `stateDir` holds what must not be lost, `cacheDir` what may vanish at any moment and is made anew,
 * `memoryDir` the memory files of running VMs (RAM-backed where possible). All three exist, belong to this user and are 0700.
 */
export class Paths extends Context.Tag("pyro/system/Paths")<Paths, {
  readonly stateDir: string
  readonly cacheDir: string
  readonly memoryDir: string
}>() {
  /** Directories named by `PYRO_STATE_DIR`, `PYRO_CACHE_DIR`, `PYRO_MEMORY_DIR`, else by XDG, else under the home directory. */
  static readonly layer = Layer.effect(Paths, Effect.suspend(() => make(process.env)))
}

/** With an empty `HOME` Node's own answer is empty too. */
const home = (env: NodeJS.ProcessEnv) => env["HOME"] || os.userInfo().homedir

/** The base directory specification wants relative ones ignored. */
const xdg = (env: NodeJS.ProcessEnv, variable: string, otherwise: string) => {
  const named = env[variable] ?? ""
  return path.isAbsolute(named) ? named : path.join(home(env), otherwise)
}

/** Variables by which another process of this user, in whatever directory, comes to the same paths. */
export const pathVariables = ({ cacheDir, memoryDir, stateDir }: Paths["Type"]): Readonly<Record<string, string>> => ({
  PYRO_STATE_DIR: stateDir,
  PYRO_CACHE_DIR: cacheDir,
  PYRO_MEMORY_DIR: path.dirname(memoryDir)
})

const make = (env: NodeJS.ProcessEnv) =>
  Effect.gen(function*() {
    const stateDir = yield* ensure(
      "PYRO_STATE_DIR",
      env["PYRO_STATE_DIR"] || path.join(xdg(env, "XDG_STATE_HOME", ".local/state"), "pyro")
    )
    const cacheDir = yield* ensure(
      "PYRO_CACHE_DIR",
      env["PYRO_CACHE_DIR"] || path.join(xdg(env, "XDG_CACHE_HOME", ".cache"), "pyro")
    )
    // One folder per state directory (its inode names it), so that two installations of one user never sweep each other.
    const { dev, ino } = fs.statSync(stateDir)
    const store = env["PYRO_MEMORY_DIR"] || defaultMemoryStore(stateDir)
    const memoryDir = yield* ensure(
      "PYRO_MEMORY_DIR",
      path.join(store, `pyro-${process.getuid?.() ?? 0}-${dev.toString(36)}-${ino.toString(36)}`)
    )
    return { stateDir, cacheDir, memoryDir }
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
  Effect.try({
    try: () => {
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
    },
    catch: (cause) =>
      new StateDirectoryUnusable({
        path: directory,
        detail: `${variable}: ${cause instanceof Error ? cause.message : String(cause)}`
      })
  })
