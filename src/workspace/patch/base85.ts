const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
const values = new Map(Array.from(alphabet, (character, value) => [character, value]))

/** Bytes in one line of a binary patch. */
const LINE_BYTES = 52

/** Bytes as lines of git's base 85, each led by the count of its bytes (A-Z: 1-26, a-z: 27-52). */
export const encodeBase85 = (bytes: Uint8Array): string => {
  const lines: Array<string> = []
  for (let from = 0; from < bytes.length; from += LINE_BYTES) {
    const size = Math.min(LINE_BYTES, bytes.length - from)
    let line = String.fromCharCode(size <= 26 ? 64 + size : 70 + size)
    for (let at = from; at < from + size; at += 4) {
      let word = 0
      for (let i = 0; i < 4; i++) word = word * 256 + (at + i < from + size ? bytes[at + i]! : 0)
      let group = ""
      for (let i = 0; i < 5; i++) {
        group = alphabet[word % 85]! + group
        word = Math.floor(word / 85)
      }
      line += group
    }
    lines.push(`${line}\n`)
  }
  return lines.join("")
}

/** The bytes of one line, without its line feed; undefined when it is no line of base 85. */
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
