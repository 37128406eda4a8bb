import { createHash, type Hash } from "node:crypto"
import * as fs from "node:fs"
import type { SpoolEntry } from "../../contract/wire/spool.ts"

// Makes the tree of a checked manifest. The folder is new and nobody else writes there, so no link can be on the way to an entry.

export type FileEntry = Extract<SpoolEntry, readonly ["f", ...ReadonlyArray<unknown>]>

const bytes = (text: string) => Buffer.from(text, "latin1")

/** Host path of an entry. */
const placeOf = (root: string, path: string): Buffer =>
  path === "" ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), bytes(path)])

/** Permission bits for pyro itself. */
const READABLE = 0o400
const OPEN = 0o700

/** The content of a file does not have the digest that the manifest says, or the contents are too short or too long. */
export class ContentWrong extends Error {}

const settle = (at: Buffer, mode: number, mtimeMs: number) => {
  fs.chmodSync(at, mode)
  fs.utimesSync(at, mtimeMs / 1000, mtimeMs / 1000)
}

/** Makes the directories, and the files without a content. */
export const makeFrame = (root: string, entries: ReadonlyArray<SpoolEntry>) => {
  for (const entry of entries) {
    const at = placeOf(root, entry[1])
    if (entry[0] === "d") fs.mkdirSync(at, { mode: OPEN })
    else if (entry[0] === "f" && entry[4] === 0) writeWhole(root, entry, Buffer.alloc(0))
  }
}

/** Makes the links, and gives the directories their modes and times: the last step. */
export const finish = (root: string, entries: ReadonlyArray<SpoolEntry>) => {
  for (const entry of entries) {
    if (entry[0] !== "l") continue
    const at = placeOf(root, entry[1])
    fs.symlinkSync(bytes(entry[4]), at)
    fs.lutimesSync(at, entry[3] / 1000, entry[3] / 1000)
  }
  for (let index = entries.length - 1; index >= 0; index--) {
    const [type, path, mode, mtimeMs] = entries[index]!
    if (type === "d") settle(placeOf(root, path), mode | OPEN, mtimeMs)
  }
}

const writeWhole = (root: string, [, path, mode, mtimeMs]: FileEntry, content: Uint8Array) => {
  const at = placeOf(root, path)
  fs.writeFileSync(at, content, { mode: 0o600, flag: "wx" })
  settle(at, mode | READABLE, mtimeMs)
}

/** Copies a content that the spool has. False: it is gone or damaged. */
export const copyKept = (root: string, [, path, mode, mtimeMs, size]: FileEntry, kept: string): boolean => {
  const at = placeOf(root, path)
  try {
    fs.copyFileSync(kept, at, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false
    throw cause
  }
  if (fs.statSync(at).size !== size) {
    fs.unlinkSync(at)
    return false
  }
  settle(at, mode | READABLE, mtimeMs)
  return true
}

/** Writes the contents of some files, which come as one stream of bytes. */
export class ContentWriter {
  readonly #root: string
  readonly #files: ReadonlyArray<FileEntry>
  readonly #onFile: (file: FileEntry, at: Buffer) => void
  #next = 0
  #open: { readonly fd: number; readonly hash: Hash; readonly at: Buffer; left: number } | undefined
  receivedBytes = 0

  /** `onFile` hears of each whole file. */
  constructor(root: string, files: ReadonlyArray<FileEntry>, onFile: (file: FileEntry, at: Buffer) => void) {
    this.#root = root
    this.#files = files
    this.#onFile = onFile
  }

  /** Throws `ContentWrong`, or the error of a file system. */
  write(content: Uint8Array) {
    this.receivedBytes += content.length
    for (let from = 0; from < content.length;) {
      const file = this.#files[this.#next]
      if (file === undefined) throw new ContentWrong("there are more bytes than the files have")
      this.#open ??= this.#begin(file)
      const piece = content.subarray(from, from + this.#open.left)
      for (let at = 0; at < piece.length;) at += fs.writeSync(this.#open.fd, piece, at)
      this.#open.hash.update(piece)
      this.#open.left -= piece.length
      from += piece.length
      if (this.#open.left === 0) this.#end(file)
    }
  }

  /** Whether bytes of a file are missing. */
  get isWaiting() {
    return this.#next < this.#files.length
  }

  /** Throws `ContentWrong` if a file is not whole. */
  finish() {
    if (this.isWaiting) throw new ContentWrong("there are fewer bytes than the files have")
  }

  close() {
    if (this.#open !== undefined) fs.closeSync(this.#open.fd)
    this.#open = undefined
  }

  #begin([, path, , , size]: FileEntry) {
    const at = placeOf(this.#root, path)
    return { fd: fs.openSync(at, "wx", 0o600), hash: createHash("sha256"), at, left: size }
  }

  #end(file: FileEntry) {
    const { at, fd, hash } = this.#open!
    const [, , mode, mtimeMs, , sha256] = file
    fs.fchmodSync(fd, mode | READABLE)
    fs.futimesSync(fd, mtimeMs / 1000, mtimeMs / 1000)
    this.close()
    if (hash.digest("hex") !== sha256) {
      throw new ContentWrong("a file has another content than its SHA-256 says: it was changed while it was read")
    }
    this.#next++
    this.#onFile(file, at)
  }
}
