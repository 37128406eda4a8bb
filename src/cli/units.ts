import { table } from "../contract/text/names.ts"

/** Unit of a number on the command line. */
export type Unit = "time" | "mib" | "bytes"

/** The unit of a field, by the end of its JSON name. */
export const unitOf = (field: string): Unit | undefined =>
  field.endsWith("_seconds") ? "time" : field.endsWith("_mib") ? "mib" : field.endsWith("_bytes") ? "bytes" : undefined

const KIB = 1024

/** Letters that may follow a number, in the field's own unit: seconds, MiB or bytes. */
const FACTORS = {
  time: table({ s: 1, m: 60, h: 3600, d: 86_400 }),
  mib: table({ m: 1, g: KIB, t: KIB ** 2 }),
  bytes: table({ k: KIB, m: KIB ** 2, g: KIB ** 3 })
}

/** Help text of each unit. */
export const unitHelp: Readonly<Record<Unit, { readonly value: string; readonly line: string }>> = {
  time: { value: "TIME", line: "TIME is a number of seconds, or one with a unit: 90s, 10m, 2h, 1d." },
  mib: { value: "MIB", line: "MIB is a number of MiB, or one with a unit: 512M, 2G, 1T." },
  bytes: { value: "BYTES", line: "BYTES is a number of bytes, or one with a unit: 64K, 10M, 1G." }
}

const EXAMPLES: Readonly<Record<Unit, string>> = {
  time: "seconds, or a number with s, m, h or d, such as 10m",
  mib: "MiB, or a number with M, G or T, such as 2G",
  bytes: "bytes, or a number with K, M or G, such as 10M"
}

/** The typed number in the unit of the field, or an error text. */
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
