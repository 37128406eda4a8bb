/** 53 bits of a line, as a byte string: lines are compared some thousand times each, and a number is compared faster. */
export const lineHash = (line: string): number => {
  let [high, low] = [0x811c9dc5, 0x2f0b4c47]
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i)
    high = Math.imul(high ^ code, 0x01000193)
    low = Math.imul(low ^ code, 0x5bd1e995)
    low ^= low >>> 15
  }
  return (high >>> 0) * 0x200000 + (low >>> 11)
}
