const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
const codes = Buffer.from(alphabet, "latin1")
const LINE_FEED = 0x0a
const values = new Map(Array.from(alphabet, (character, value) => [character, value]))

/** Bytes in one line of a binary patch. */
export const LINE_BYTES = 52

/** Bytes as lines of git's base 85, each led by the count of its bytes (A-Z: 1-26, a-z: 27-52). */
export const encodeBase85 = (bytes: Uint8Array): Uint8Array => {
  const out = Buffer.allocUnsafe(encodedBytes(bytes.length))
  let to = 0
  for (let from = 0; from < bytes.length; from += LINE_BYTES) {
    const end = Math.min(from + LINE_BYTES, bytes.length)
    const size = end - from
    out[to++] = size <= 26 ? 64 + size : 70 + size
    for (let at = from; at < end; at += 4) {
      let word = 0
      for (let i = at; i < at + 4; i++) word = word * 256 + (i < end ? bytes[i]! : 0)
      for (let i = 4; i >= 0; i--) {
        out[to + i] = codes[word % 85]!
        word = Math.floor(word / 85)
      }
      to += 5
    }
    out[to++] = LINE_FEED
  }
  return out
}

/** Of each line its size, five characters for each four bytes, and a line feed. */
const encodedBytes = (size: number) => {
  const rest = size % LINE_BYTES
  const lineOf = (bytes: number) => 2 + 5 * Math.ceil(bytes / 4)
  return Math.floor(size / LINE_BYTES) * lineOf(LINE_BYTES) + (rest === 0 ? 0 : lineOf(rest))
}

/** The bytes of one line, without its line feed. `undefined` if the line is not base 85. */
export const decodeBase85Line = (line: string): Uint8Array | undefined => {
  if (!/^[A-Za-z](.{5})+$/.test(line)) return undefined
  const first = line.charCodeAt(0)
  const size = first <= 90 ? first - 64 : first - 70
  if (line.length - 1 !== Math.ceil(size / 4) * 5) return undefined
  const bytes = Buffer.alloc(Math.ceil(size / 4) * 4)
  for (let at = 0; at * 5 + 1 < line.length; at++) {
    let word = 0
    for (let i = 0; i < 5; i++) {
      const value = values.get(line[at * 5 + 1 + i]!)
      if (value === undefined) return undefined
      word = word * 85 + value
    }
    if (word > 0xffff_ffff) return undefined
    bytes.writeUInt32BE(word, at * 4)
  }
  return bytes.subarray(0, size)
}
