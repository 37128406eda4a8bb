import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

/**
 * What a crash could leave on this host, read from the host itself (pyro's own records are no witness): processes that belong to a
 * VM, files of memory stores, everything in a state directory, half-made things in the cache that nobody is making, mounts. A `cache` that other tests use must not be given: what their killed
 * processes left is there until somebody sweeps it.
 */
export const hostInventory = (
  directories: { readonly state: string; readonly cache?: string | undefined }
): ReadonlyArray<string> => {
  const processes = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const args = fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")
      const named = args.find((arg) => /^pyro-vm-[a-z0-9]+$/.test(arg))
      return named !== undefined && belongsTo(pid, directories.state) ? [`process ${named} ${args[0]}`] : []
    } catch {
      return []
    }
  })
  const stores = memoryStoresOf(directories.state).flatMap(filesBeneath)
  const state = filesBeneath(directories.state)
  const halfMade = directories.cache === undefined ? [] : halfMadeTemplates(path.join(directories.cache, "templates"))
  const mounts = fs.readFileSync("/proc/self/mounts", "utf8").split("\n").filter((line) =>
    line.includes(directories.state)
  )
  return [...processes, ...stores, ...state, ...halfMade, ...mounts].sort()
}

/** Memory directories of a state directory. */
export const memoryStoresOf = (state: string): ReadonlyArray<string> =>
  fs.readdirSync("/dev/shm").filter((name) => name.startsWith("pyro-") && isStoreOf(name, state))
    .map((name) => path.join("/dev/shm", name))

/** A memory store carries device and inode of its state directory in its name. */
const isStoreOf = (name: string, state: string) => {
  const { dev, ino } = fs.statSync(state)
  return name.endsWith(`-${dev.toString(36)}-${ino.toString(36)}`)
}

/**
 * A VMM's arguments are relative; what ties it to an installation is a file of the installation that it has open, or that is mounted in its
 * namespace. The mount names it from the root of its file system, not from the host's.
 */
const belongsTo = (pid: string, state: string) => {
  const { dev, ino } = fs.statSync(state)
  const store = `-${dev.toString(36)}-${ino.toString(36)}/`
  const mounted = `/${path.basename(path.dirname(state))}/${path.basename(state)}/`.replaceAll(" ", "\\040")
  const of = (file: string) => fs.readFileSync(`/proc/${pid}/${file}`, "latin1")
  try {
    return of("maps").includes(store) || of("cmdline").includes(state) || of("mountinfo").includes(mounted)
  } catch {
    return false
  }
}

/** Other tests share the cache: what is being made there at this moment, under its lock, is no leftover. */
const halfMadeTemplates = (templates: string) =>
  fs.existsSync(templates)
    ? fs.readdirSync(templates).filter((name) => name.endsWith(".tmp")).filter((name) => {
      const lock = path.join(templates, `${name.split(".")[0]}.lock`)
      return spawnSync("flock", ["--nonblock", lock, "true"]).status === 0 && fs.existsSync(path.join(templates, name))
    }).flatMap((name) => [path.join(templates, name), ...filesBeneath(path.join(templates, name))])
    : []

const filesBeneath = (folder: string): ReadonlyArray<string> => {
  if (!fs.existsSync(folder)) return []
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    return entry.isDirectory() ? [file, ...filesBeneath(file)] : [file]
  })
}
