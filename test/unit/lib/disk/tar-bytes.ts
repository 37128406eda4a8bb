/** One entry of a tar archive, byte for byte as asked for: also what no sane program would write. */
export interface RawEntry {
  readonly name: string | Uint8Array
  readonly type?: string
  readonly content?: string | Uint8Array
  /** As the header says, whatever the content is. */
  readonly size?: number | Uint8Array
  readonly link?: string
  readonly mode?: number
  readonly mtime?: number
  readonly prefix?: string
  readonly magic?: string
  readonly checksum?: string
}

const block = 512

const padded = (bytes: Uint8Array) => {
  const whole = new Uint8Array(Math.ceil(bytes.length / block) * block)
  whole.set(bytes)
  return whole
}

/** Header and content of one entry. */
export const rawEntry = (entry: RawEntry): Buffer => {
  const header = Buffer.alloc(block)
  const content = Buffer.from(entry.content ?? "")
  const put = (text: string | Uint8Array, at: number, room: number) => void Buffer.from(text).copy(header, at, 0, room)
  const octal = (value: number, room: number) => `${value.toString(8).padStart(room - 1, "0")}\0`
  put(entry.name, 0, 100)
  put(octal(entry.mode ?? 0o644, 8), 100, 8)
  put(octal(12_345, 8), 108, 8)
  put(octal(54_321, 8), 116, 8)
  const size = entry.size ?? content.length
  put(typeof size === "number" ? octal(size, 12) : size, 124, 12)
  put(octal(entry.mtime ?? 1_600_000_000, 12), 136, 12)
  put(entry.type ?? "0", 156, 1)
  put(entry.link ?? "", 157, 100)
  put(entry.magic ?? "ustar\x0000", 257, 8)
  put(entry.prefix ?? "", 345, 155)
  header.fill(" ", 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(entry.checksum ?? `${sum.toString(8).padStart(6, "0")}\0 `, 148, 8)
  return Buffer.concat([header, padded(content)])
}

export const endOfArchive = Buffer.alloc(2 * block)

/** A whole archive of raw entries. */
export const rawTar = (...entries: ReadonlyArray<RawEntry>): Buffer =>
  Buffer.concat([...entries.map(rawEntry), endOfArchive])

/** A pax extended header for the entry that follows. */
export const pax = (records: Readonly<Record<string, string>>, type = "x"): RawEntry => {
  const content = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`)
    let length = rest + 1
    while (String(length).length + rest !== length) length = String(length).length + rest
    return `${length} ${key}=${value}\n`
  }).join("")
  return { name: "PaxHeader", type, content }
}

/** A GNU long name (`L`) or long link target (`K`) for the entry that follows. */
export const gnuLong = (text: string, type: "L" | "K" = "L"): RawEntry => ({
  name: "././@LongLink",
  type,
  content: `${text}\0`,
  magic: "ustar  \0"
})
