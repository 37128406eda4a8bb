import { deflateRawSync, gzipSync } from "node:zlib"

/** One entry of a zip archive, byte for byte as asked for: also what no sane program would write. */
export interface ZipEntry {
  readonly name: string | Uint8Array
  readonly content?: string | Uint8Array
  /** Mode with its type bits, as Unix programs store it. */
  readonly mode?: number
  readonly deflated?: boolean
  /** Bit 0 says that the entry is encrypted, bit 11 that its name is UTF-8. */
  readonly flags?: number
  /** As the headers say, whatever the content is. */
  readonly size?: number
  readonly crc?: number
  /** System that made the entry: 3 is Unix, 0 is MS-DOS. */
  readonly system?: number
}

const UNIX = 3
/** 2020-09-13 12:26:40, in MS-DOS's form. */
const DOS_TIME = 12 << 11 | 26 << 5 | 20
const DOS_DATE = 40 << 9 | 9 << 5 | 13

/** Each gzip stream ends with the checksum of its content and the content's length. */
const checksum = (content: Buffer) => gzipSync(content).subarray(-8).readUInt32LE()

/** Local header, content and central directory header of one entry that begins at `offset`. */
const parts = (entry: ZipEntry, offset: number) => {
  const name = Buffer.from(entry.name)
  const content = Buffer.from(entry.content ?? "")
  const stored = entry.deflated === true ? deflateRawSync(content) : content
  const common = Buffer.alloc(26)
  common.writeUInt16LE(20, 0)
  common.writeUInt16LE(entry.flags ?? 0, 2)
  common.writeUInt16LE(entry.deflated === true ? 8 : 0, 4)
  common.writeUInt16LE(DOS_TIME, 6)
  common.writeUInt16LE(DOS_DATE, 8)
  common.writeUInt32LE(entry.crc ?? checksum(content), 10)
  common.writeUInt32LE(stored.length, 14)
  common.writeUInt32LE(entry.size ?? content.length, 18)
  common.writeUInt16LE(name.length, 22)
  const system = entry.system ?? UNIX
  const made = Buffer.from([20, system])
  const rest = Buffer.alloc(14)
  if (system === UNIX) rest.writeUInt32LE((entry.mode ?? 0o100644) * 0x10000, 6)
  rest.writeUInt32LE(offset, 10)
  return {
    local: Buffer.concat([Buffer.from("PK\x03\x04"), common, name, stored]),
    central: Buffer.concat([Buffer.from("PK\x01\x02"), made, common, rest, name])
  }
}

/** A zip archive of these entries. */
export const rawZip = (...entries: ReadonlyArray<ZipEntry>): Buffer => {
  const locals: Array<Buffer> = []
  const centrals: Array<Buffer> = []
  let offset = 0
  for (const entry of entries) {
    const { central, local } = parts(entry, offset)
    locals.push(local)
    centrals.push(central)
    offset += local.length
  }
  const directory = Buffer.concat(centrals)
  const end = Buffer.alloc(22)
  end.write("PK\x05\x06", 0, "latin1")
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}
