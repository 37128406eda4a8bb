import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { writeFileAtomic } from "./atomic-file.ts"
import { readText } from "./content.ts"
import { ensureFolder } from "./entries.ts"
import { attempt, FileFailed } from "./failure.ts"
import { isBeneath, realPlace } from "./host-path.ts"

/** A file of another program in the state of its reading. */
export interface KnownFile {
  /** Path by which the program knows the file. */
  readonly path: string
  /** Path with all symbolic links resolved. */
  readonly real: string
  /** Undefined if there is no file. */
  readonly text: string | undefined
  readonly stat: { readonly mode: number; readonly uid: number; readonly gid: number } | undefined
}

/** Largest file that pyro edits. Files with settings have kilobytes; histories in them may have some megabytes. */
const MAX_BYTES = 64 * 1024 * 1024

const refuse = (file: string, detail: string) => new FileFailed({ operation: "read", path: file, detail })

/** Reads a text file of another program. A missing file has no text. */
export const readKnown = (file: string): Effect.Effect<KnownFile, FileFailed> =>
  Effect.flatten(attempt("read", file, (): Effect.Effect<KnownFile, FileFailed> => {
    if (fs.lstatSync(file, { throwIfNoEntry: false }) === undefined) {
      return Effect.succeed({ path: file, real: realPlace(file), text: undefined, stat: undefined })
    }
    const real = fs.realpathSync(file)
    const stat = fs.statSync(real)
    const { gid, mode, size, uid } = stat
    if (!stat.isFile()) return refuse(file, "it is no regular file")
    if (size > MAX_BYTES) return refuse(file, `it has more than ${MAX_BYTES / 1024 / 1024} MiB`)
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fs.readFileSync(real))
      return Effect.succeed({ path: file, real, text, stat: { mode: mode & 0o7777, uid, gid } })
    } catch (cause) {
      if (cause instanceof TypeError) return refuse(file, "it is no UTF-8 text")
      throw cause
    }
  }))

/** Fails if a file must not be written: its mode is read-only, or its directory takes no new file. */
export const checkWritable = ({ real, stat }: KnownFile): Effect.Effect<void, FileFailed> =>
  Effect.flatten(attempt("write", real, (): Effect.Effect<void, FileFailed> => {
    // Root may write to read-only files; the mode says what the owner wants.
    if (stat !== undefined && (stat.mode & 0o222) === 0) return refuse(real, "it is read-only")
    if (stat !== undefined) fs.accessSync(real, fs.constants.W_OK)
    let folder = path.dirname(real)
    while (!fs.existsSync(folder)) folder = path.dirname(folder)
    fs.accessSync(folder, fs.constants.W_OK)
    return Effect.void
  }))

/**
 * Replaces the content of a file, which keeps its mode, owner and links; a new file gets `mode`. A reader sees the old content or the new.
 * Fails if the file is no longer as it was read.
 */
export const replaceKnown = (
  known: KnownFile,
  text: string,
  mode: number
): Effect.Effect<void, FileFailed> =>
  Effect.flatten(attempt("write", known.path, (): Effect.Effect<void, FileFailed> => {
    const { real, stat } = known
    fs.mkdirSync(path.dirname(real), { recursive: true })
    const temporary = `${real}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`
    try {
      const fd = fs.openSync(temporary, "wx", 0o600)
      try {
        fs.writeFileSync(fd, text)
        if (stat !== undefined) {
          const made = fs.fstatSync(fd)
          if (made.uid !== stat.uid || made.gid !== stat.gid) fs.fchownSync(fd, stat.uid, stat.gid)
        }
        fs.fchmodSync(fd, stat?.mode ?? mode)
        fs.fdatasyncSync(fd)
      } finally {
        fs.closeSync(fd)
      }
      if (currentText(real) !== known.text) {
        fs.rmSync(temporary, { force: true })
        return refuse(known.path, "another program has changed it meanwhile")
      }
      fs.renameSync(temporary, real)
      return Effect.void
    } catch (cause) {
      fs.rmSync(temporary, { force: true })
      throw cause
    }
  }))

const currentText = (file: string): string | undefined =>
  fs.existsSync(file) ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(fs.readFileSync(file)) : undefined

/** Removes a file, unless it is a link or no longer as it was read. */
export const removeKnown = (known: KnownFile): Effect.Effect<void, FileFailed> =>
  Effect.flatten(attempt("unlink", known.path, (): Effect.Effect<void, FileFailed> => {
    if (currentText(known.real) !== known.text) return refuse(known.path, "another program has changed it meanwhile")
    fs.unlinkSync(known.real)
    return Effect.void
  }))

/** Maximum number of backups of one file. The next one replaces the oldest. */
const MAX_BACKUPS = 100

/**
 * Saves the content of a file as `BACKUP.1`, then `BACKUP.2` and so on, readable for this user only. No backup is overwritten. If the
 * newest one has the same content, it is enough.
 */
export const backUp = (known: KnownFile, backup: string): Effect.Effect<string | undefined, FileFailed> =>
  attempt("write", backup, () => {
    const { text } = known
    if (text === undefined) return undefined
    const folder = path.dirname(backup)
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    const numbers = fs.readdirSync(folder).flatMap((name) => {
      const number = name.startsWith(`${path.basename(backup)}.`) ? name.slice(path.basename(backup).length + 1) : ""
      return /^[1-9]\d*$/.test(number) ? [Number(number)] : []
    }).sort((one, other) => one - other)
    const newest = numbers.at(-1)
    if (newest !== undefined && currentText(`${backup}.${newest}`) === text) return `${backup}.${newest}`
    for (const old of numbers.slice(0, -MAX_BACKUPS + 1)) fs.rmSync(`${backup}.${old}`)
    const file = `${backup}.${(newest ?? 0) + 1}`
    fs.writeFileSync(file, text, { flag: "wx", mode: 0o600 })
    return file
  })

/** A text in pyro's state directory. Undefined if there is none. */
export const readKept = (file: string): Effect.Effect<string | undefined> =>
  Effect.orElseSucceed(readText(file), () => undefined)

/** Stores a text for this user only. A reader sees the old text or the new one. */
export const writeKept = (file: string, text: string) =>
  Effect.andThen(ensureFolder(path.dirname(file)), writeFileAtomic(file, text))

/** The topmost directory that does not exist yet on the way to a file. */
export const missingFolder = (file: string) =>
  attempt("stat", file, () => {
    let missing: string | undefined
    for (let folder = path.dirname(file); !fs.existsSync(folder); folder = path.dirname(folder)) missing = folder
    return missing
  })

/** Removes the empty directories from a file's own up to `made`. */
export const removeEmptyFolders = (file: string, made: string) =>
  attempt("rmdir", file, () => {
    for (let folder = path.dirname(file); isBeneath(folder, made); folder = path.dirname(folder)) {
      if (!fs.existsSync(folder)) continue
      if (fs.readdirSync(folder).length > 0) return
      fs.rmdirSync(folder)
    }
  })
