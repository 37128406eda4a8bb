import { crc32, deflateSync } from "node:zlib"

const chunk = (name: string, data: Buffer) => {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data])
  const ends = Buffer.alloc(8)
  ends.writeUInt32BE(data.length, 0)
  ends.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
}

/** A whole PNG of one colour. */
export const pngOf = (width: number, height: number): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(3 * width, 0xcc)])
  const pixels = deflateSync(Buffer.concat(Array<Buffer>(height).fill(row)))
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", pixels),
    chunk("IEND", Buffer.alloc(0))
  ])
}

/** Beginnings of images of 3 x 2 pixels; the PNG is a whole one. */
export const images = {
  "image/png": pngOf(3, 2),
  "image/jpeg": Buffer.from("ffd8ffe000104a46494600010100000100010000ffc0001108000200030301220002110103110100", "hex"),
  "image/gif": Buffer.from("47494638396103000200f00000ff0000ffffff2c00000000030002000002", "hex"),
  "image/webp": Buffer.from("524946461a000000574542505650384c0d0000002f0240000007101111880800", "hex")
} as const
