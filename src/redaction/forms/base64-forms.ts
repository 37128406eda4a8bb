/** Columns of a line: PEM and OpenSSL have 64, and MIME and `base64` have 76. */
const COLUMNS = [64, 76]
const LINE_ENDS = ["\n", "\r\n"]
/** Characters that three bytes give. */
const GROUP = 4

/** Maximum bytes of a value whose lines may break anywhere. Each column of its beginning is a form of its own. */
export const MAX_BROKEN_BYTES = 128

interface Encoded {
  /** The base64 text, with zero bytes in front of the value. */
  readonly text: string
  /** The characters that depend on the value alone. */
  readonly from: number
  readonly to: number
}

const encodedAt = (value: Uint8Array, before: number): Encoded => ({
  text: Buffer.concat([Buffer.alloc(before), value]).toString("base64"),
  from: Math.ceil(before * 8 / 6),
  to: Math.floor((before + value.length) * 8 / 6)
})

/** Base64 at each position modulo 3 in both alphabets, on one line. */
const onOneLine = ({ from, text, to }: Encoded): ReadonlyArray<string> => {
  const whole = text.slice(from, to)
  return [whole, whole.replaceAll("+", "-").replaceAll("/", "_")]
}

/** The lines of a text whose first group stands in a column. */
const broken = ({ from, text, to }: Encoded, column: number, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let begin = from
  for (let next = columns - column; next < to; next += columns) {
    if (next <= from) continue
    lines.push(text.slice(begin, next))
    begin = next
  }
  return [...lines, text.slice(begin, to)]
}

/** Base64 in lines. A long value has only the lines of a text that begins with the value, as `base64 FILE` prints them. */
const inLines = (encoded: Encoded, isShort: boolean): ReadonlyArray<string> =>
  COLUMNS.flatMap((columns) =>
    Array.from({ length: isShort ? columns / GROUP : 1 }, (_, group) => broken(encoded, group * GROUP, columns))
      .filter(({ length }) => length > 1)
      .flatMap((lines) => LINE_ENDS.map((end) => lines.join(end)))
  )

/** Base64 of a value on one line, at each alignment. */
export const base64Forms = (value: Uint8Array): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((before) => onOneLine(encodedAt(value, before)))

/** Base64 of a value in lines, at each alignment and column of a short value. */
export const base64LineForms = (value: Uint8Array): ReadonlyArray<string> => {
  const isShort = value.length <= MAX_BROKEN_BYTES
  return (isShort ? [0, 1, 2] : [0]).flatMap((before) => inLines(encodedAt(value, before), isShort))
}
