import { Violation } from "./violation.ts"

/** An address as its literal: dotted for 4 bytes, RFC 5952's form for 16. */
export const literalOf = (address: Uint8Array) => {
  if (address.length === 4) return address.join(".")
  if (address.length !== 16) throw new Violation(`an address of ${address.length} bytes`)
  const groups = Array.from({ length: 8 }, (_, i) => ((address[2 * i]! << 8) | address[2 * i + 1]!).toString(16))
  const { length, start } = longestZeros(groups)
  if (length < 2) return groups.join(":")
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`
}

/** The first of the longest runs of zero groups. */
const longestZeros = (groups: ReadonlyArray<string>) => {
  let longest = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === "0") length++
    if (length > longest.length) longest = { start, length }
  }
  return longest
}
