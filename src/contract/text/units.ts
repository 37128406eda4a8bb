import { table } from "./names.ts"

/** Unit of a number that people write. */
export type Unit = "time" | "mib" | "bytes"

const KIB = 1024

/** Letters that may follow a number, in the field's own unit: seconds, MiB or bytes. */
const FACTORS = {
  time: table({ s: 1, m: 60, h: 3600, d: 86_400 }),
  mib: table({ m: 1, g: KIB, t: KIB ** 2 }),
  bytes: table({ k: KIB, m: KIB ** 2, g: KIB ** 3 })
}

const EXAMPLES: Readonly<Record<Unit, string>> = {
  time: "seconds, or a number with s, m, h or d, such as 10m",
  mib: "MiB, or a number with M, G or T, such as 2G",
  bytes: "bytes, or a number with K, M or G, such as 10M"
}

/** The written number in the unit of its field, or an error text. */
export const numberOf = (word: string, unit: Unit | undefined): number | string => {
  const plain = word.trim() === "" ? Number.NaN : Number(word)
  if (!Number.isNaN(plain)) return plain
  if (unit === undefined) return `"${word}" is not a number`
  const [, digits, letters = ""] = /^(\d+(?:\.\d+)?)([a-z]+)$/i.exec(word.trim()) ?? []
  // `GiB` and `GB` are other spellings.
  const letter = letters.toLowerCase().replace(unit === "time" ? /$^/ : /i?b$/, "")
  const factor = FACTORS[unit][letter]
  return digits === undefined || factor === undefined
    ? `"${word}" must be ${EXAMPLES[unit]}`
    : Number(digits) * factor
}
