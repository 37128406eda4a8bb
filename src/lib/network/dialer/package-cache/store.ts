import { createHash, type Hash, randomBytes } from "node:crypto"
import { constants, type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises"
import { join } from "node:path"
import { isAlive, ownIdentity, type ProcessIdentity } from "../../../../system/processes/identity.ts"
import { encodeEnd, Entry, type EntryHead } from "./entry.ts"
import type { Expected } from "./expected.ts"

/** A file of the store. */
interface StoredFile {
  readonly path: string
  readonly bytes: number
  readonly usedMs: number
}

const BLOCK_BYTES = 512

/** Folders of entries have two hexadecimal digits. */
const isEntryFolder = (name: string) => /^[0-9a-f]{2}$/.test(name)

/** All entries of a store. Entries that go meanwhile are left out. */
const entriesOf = async (folder: string): Promise<ReadonlyArray<StoredFile>> => {
  const found: Array<StoredFile> = []
  for (const name of (await readdir(folder)).filter(isEntryFolder)) {
    for (const file of await readdir(join(folder, name)).catch(() => [])) {
      const path = join(folder, name, file)
      const known = await stat(path).catch(() => undefined)
      if (known !== undefined) found.push({ path, bytes: known.blocks * BLOCK_BYTES, usedMs: known.mtimeMs })
    }
  }
  return found
}

/** An eviction frees a tenth more, so that the next entries need none. */
const KEPT_SHARE = 0.9

/** Removes entries, least recently used first, if they exceed the limit. Gives the bytes of the others. */
const evict = async (folder: string, maxBytes: number): Promise<number> => {
  const entries = [...await entriesOf(folder)].sort((one, other) => one.usedMs - other.usedMs)
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  const limit = bytes > maxBytes ? maxBytes * KEPT_SHARE : maxBytes
  for (const entry of entries) {
    if (bytes <= limit) break
    await rm(entry.path, { force: true })
    bytes -= entry.bytes
  }
  return bytes
}

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

/** Folder of files that are written now. */
const UNFINISHED = "unfinished"

/** File of a key beneath the store's folder. */
export const fileOf = (key: string): string => {
  const name = createHash("sha256").update(key).digest("hex")
  return join(name.slice(0, 2), name)
}

/** The writer is in the name of an unfinished file: the next process removes the files of one that was killed. */
const unfinishedName = ({ bootId, pid, startTicks }: ProcessIdentity) =>
  `${pid}_${startTicks}_${bootId}_${randomBytes(8).toString("hex")}`

const writerOf = (name: string): ProcessIdentity => {
  const [pid, startTicks, bootId = ""] = name.split("_")
  return { pid: Number(pid), startTicks: Number(startTicks), bootId }
}

const sweep = async (folder: string) => {
  const names = await readdir(folder)
  await Promise.all(names.filter((name) => !isAlive(writerOf(name))).map((name) => rm(join(folder, name))))
}

/** Answers of registries on the host's disk. Several processes may use one folder. */
export class Store {
  readonly #folder: string
  readonly #maxBytes: number
  readonly #reserveBytes: number
  /** Bytes of all entries, as far as this process knows. */
  #bytes: number
  #eviction: Promise<void> | undefined

  private constructor(
    folder: string,
    options: { readonly maxBytes: number; readonly reserveBytes: number },
    bytes: number
  ) {
    this.#folder = folder
    this.#maxBytes = options.maxBytes
    this.#reserveBytes = options.reserveBytes
    this.#bytes = bytes
  }

  /** Opens the folder, removes unfinished files of ended processes, and evicts entries above the limit. */
  static async open(
    folder: string,
    options: { readonly maxBytes: number; readonly reserveBytes: number }
  ): Promise<Store> {
    await mkdir(join(folder, UNFINISHED), { recursive: true, mode: FOLDER_MODE })
    await sweep(join(folder, UNFINISHED))
    return new Store(folder, options, await evict(folder, options.maxBytes))
  }

  get largestBytes() {
    return this.#maxBytes / 4
  }

  async get(key: string): Promise<Entry | undefined> {
    const file = await open(join(this.#folder, fileOf(key)), "r+").catch(() => undefined)
    if (file === undefined) return undefined
    const entry = await Entry.read(file, key)
    if (entry !== undefined) return entry
    await file.close()
    await this.remove(key)
    return undefined
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#folder, fileOf(key)), { force: true })
  }

  /** Begins an entry, with the hash that its body must have. Fails if the file system has too little room for it. */
  async create(key: string, expectedBytes: number, expected?: Expected): Promise<Draft> {
    const { bavail, bsize } = await statfs(this.#folder)
    if (bavail * bsize < expectedBytes + this.#reserveBytes) throw new Error("the file system is nearly full")
    const path = join(this.#folder, UNFINISHED, unfinishedName(ownIdentity()))
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR
    const file = await open(path, flags, FILE_MODE)
    return new Draft(file, path, expected, async (bytes) => {
      const target = join(this.#folder, fileOf(key))
      await mkdir(join(target, ".."), { recursive: true, mode: FOLDER_MODE })
      await rename(path, target)
      this.#added(bytes)
    })
  }

  #added(bytes: number) {
    this.#bytes += bytes
    if (this.#bytes <= this.#maxBytes || this.#eviction !== undefined) return
    this.#eviction = evict(this.#folder, this.#maxBytes)
      .then((left) => void (this.#bytes = left))
      .catch(() => {})
      .finally(() => (this.#eviction = undefined))
  }
}

/** An entry that is being written. Its file can be read meanwhile. */
export class Draft {
  readonly file: FileHandle
  readonly #path: string
  readonly #publish: (bytes: number) => Promise<void>
  readonly #hash: Hash = createHash("sha256")
  readonly #expected: { readonly digest: string; readonly hash: Hash } | undefined
  #bytes = 0

  constructor(
    file: FileHandle,
    path: string,
    expected: Expected | undefined,
    publish: (bytes: number) => Promise<void>
  ) {
    this.file = file
    this.#path = path
    this.#publish = publish
    this.#expected = expected && { digest: expected.digest, hash: createHash(expected.algorithm) }
  }

  async write(bytes: Buffer): Promise<void> {
    await this.#writeAt(bytes, this.#bytes)
    this.#hash.update(bytes)
    this.#expected?.hash.update(bytes)
    this.#bytes += bytes.length
  }

  /** Makes the entry visible, whole. Fails if its body has not the hash that was expected. */
  async commit(head: EntryHead, nowMs: number): Promise<void> {
    const { digest, hash } = this.#expected ?? {}
    if (hash?.digest("hex") !== digest) throw new Error("the body has not the hash of the registry's index")
    const end = encodeEnd(head, this.#hash.digest("base64"), nowMs)
    await this.#writeAt(end, this.#bytes)
    await this.#publish(this.#bytes + end.length)
  }

  /** Removes the file's name. Readers of the file continue. */
  async discard(): Promise<void> {
    await rm(this.#path, { force: true })
  }

  /** A write may take a part of the bytes; the next write then fails with the reason. */
  async #writeAt(bytes: Buffer, position: number) {
    for (let done = 0; done < bytes.length;) {
      done += (await this.file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
    }
  }
}
