import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { settingNow } from "../settings/config.ts"

/** f_type of tmpfs (statfs(2)). */
const tmpfsMagic = 0x0102_1994

/** Cores that this process may use. */
export const coreCount = () => os.availableParallelism()

/** Facts about every core, as the kernel lists them (`/proc/cpuinfo` of proc(5)). */
export const cpuInfo = () => fs.readFileSync("/proc/cpuinfo", "utf8")

/** Model of the first core, as the kernel names it. */
export const cpuModel = () => os.cpus()[0]?.model.trim() ?? "unknown"

/** Memory that is available without swapping, in bytes (`MemAvailable` of proc(5)). */
export const availableMemoryBytes = (): number => {
  const found = /^MemAvailable:\s+(\d+) kB/m.exec(fs.readFileSync("/proc/meminfo", "utf8"))
  return found === null ? os.freemem() : Number(found[1]) * 1024
}

/** Bytes that an ordinary user may still write in the file system of `path`. */
export const freeBytes = (path: string): number => {
  const { bavail, bsize } = fs.statfsSync(path)
  return bavail * bsize
}

export const isTmpfs = (path: string) => fs.statfsSync(path).type === tmpfsMagic

/** Whether a path leads to a file that this user may execute. */
export const isExecutable = (file: string): boolean => {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

/** Cache of found programs by PATH and name: a search of all folders costs more than the rest of a VM's command. */
const foundPrograms = new Map<string, string>()

/** Path of the first program with this name on PATH or in root's folders. Undefined if there is none. */
export const findProgram = (name: string): string | undefined => {
  const folders = settingNow("PATH")
  const key = `${folders}\0${name}`
  const known = foundPrograms.get(key)
  if (known !== undefined && isExecutable(known)) return known
  const found = [...folders.split(":"), "/usr/sbin", "/sbin"].map((folder) => `${folder}/${name}`).find(isExecutable)
  if (found !== undefined) foundPrograms.set(key, found)
  return found
}

/** Name of this user, or the uid without an account. */
export const userName = (): string => {
  try {
    return os.userInfo().username
  } catch {
    return String(process.getuid?.())
  }
}

/** Home directory of this user's account, whatever HOME says. Undefined without an account. */
export const accountHome = (): string | undefined => {
  try {
    return os.userInfo().homedir
  } catch {
    return undefined
  }
}

export const isRoot = () => process.getuid?.() === 0

/** Content of a file and of all files in the folder of the same name with `.d`: the convention for settings. */
export const readSettings = (file: string): string => {
  const folder = `${file}.d`
  const files = [file, ...(fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => `${folder}/${name}`) : [])]
  return files.flatMap((name) => fs.existsSync(name) ? [fs.readFileSync(name, "utf8")] : []).join("\n")
}

/** Whether a file contains the bytes. */
export const fileHolds = (file: string, needle: Buffer): boolean => {
  const fd = fs.openSync(file, "r")
  try {
    const piece = Buffer.alloc(4 * 1024 * 1024)
    let carried = 0
    for (;;) {
      const read = fs.readSync(fd, piece, carried, piece.length - carried, null)
      if (read === 0) return false
      const filled = carried + read
      if (piece.subarray(0, filled).includes(needle)) return true
      // The end of this piece, which may be the start of a match, is searched again with the next piece.
      carried = Math.min(needle.length - 1, filled)
      piece.copyWithin(0, filled - carried, filled)
    }
  } finally {
    fs.closeSync(fd)
  }
}

/** Size of a file, in bytes. 0 if there is none, or if this user may not read it. */
export const fileBytes = (file: string): number => {
  try {
    return fs.statSync(file).size
  } catch {
    return 0
  }
}

/** Errors of link(2) for directories that can never share a file. */
const NEVER = new Set<string | undefined>(["EXDEV", "EPERM", "EOPNOTSUPP"])

/** Whether a file of one directory can have a second name in another. */
export const canLink = (from: string, to: string) => {
  const [file = "", linked = ""] = [from, to].map((directory) => path.join(directory, `.link-${randomUUID()}`))
  try {
    fs.writeFileSync(file, "", { flag: "wx" })
    fs.linkSync(file, linked)
    return true
  } catch (cause) {
    return !NEVER.has((cause as NodeJS.ErrnoException).code)
  } finally {
    for (const one of [file, linked]) fs.rmSync(one, { force: true })
  }
}
