import { readdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"

/** A file of the store. */
export interface StoredFile {
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
export const evict = async (folder: string, maxBytes: number): Promise<number> => {
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
