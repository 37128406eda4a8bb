import * as fs from "node:fs"

/** What a store begins with, little-endian: "SnAp", valid, version, sectors of a chunk (drivers/md/dm-snap-persistent.c). */
const MAGIC = 0x70416e53

const SECTOR = 512

/** Bytes of an exception: a chunk of the disk, and the chunk of the store that has its content. */
const EXCEPTION = 16

/**
 * Writes the disk that a store makes of its seed to a file, as the guest's kernel reads it. The metadata is in areas: a chunk of exceptions
 * before the chunks that they name.
 */
export const flattenStore = (store: string, seed: string, virtualBytes: number, flat: string) => {
  fs.copyFileSync(seed, flat)
  fs.chmodSync(flat, 0o600) // a seed is read-only, which stops everybody but root
  fs.truncateSync(flat, virtualBytes)
  const [from, to] = [fs.openSync(store, "r"), fs.openSync(flat, "r+")]
  try {
    const header = Buffer.alloc(SECTOR)
    fs.readSync(from, header, 0, SECTOR, 0)
    if (header.readUInt32LE(0) !== MAGIC || header.readUInt32LE(4) !== 1) throw new Error(`${store} is no valid store`)
    const chunkBytes = header.readUInt32LE(12) * SECTOR
    const readChunk = (number: number) => {
      const chunk = Buffer.alloc(chunkBytes)
      fs.readSync(from, chunk, 0, chunkBytes, number * chunkBytes)
      return chunk
    }
    const inArea = chunkBytes / EXCEPTION
    for (let area = 0;; area++) {
      const exceptions = readChunk(1 + area * (inArea + 1))
      for (let at = 0; at < chunkBytes; at += EXCEPTION) {
        const copied = Number(exceptions.readBigUInt64LE(at + 8))
        if (copied === 0) return
        const disk = Number(exceptions.readBigUInt64LE(at)) * chunkBytes
        fs.writeSync(to, readChunk(copied), 0, Math.min(chunkBytes, virtualBytes - disk), disk)
      }
    }
  } finally {
    fs.closeSync(from)
    fs.closeSync(to)
  }
}
