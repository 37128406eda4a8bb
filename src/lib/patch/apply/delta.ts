/**
 * Applies a delta of git (Documentation/gitformat-pack) to its base content. `undefined` for another base, a damaged delta, or a
 * result over `limit` bytes.
 */
export const applyDelta = (base: Uint8Array, delta: Uint8Array, limit: number): Uint8Array | undefined => {
  let at = 0
  const size = (): number => {
    let value = 0
    for (let scale = 1; at < delta.length; scale *= 128) {
      const byte = delta[at++]!
      value += (byte & 0x7f) * scale
      if (value > limit) return Infinity
      if (byte < 0x80) return value
    }
    return Infinity
  }
  if (size() !== base.length) return undefined
  const total = size()
  if (total > limit) return undefined
  const result = Buffer.alloc(total)
  let made = 0
  const put = (bytes: Uint8Array, count: number) => {
    if (bytes.length !== count || made + count > total) return false
    result.set(bytes, made)
    made += count
    return true
  }
  while (at < delta.length) {
    const command = delta[at++]!
    if (command === 0) return undefined
    if (command < 0x80) {
      if (!put(delta.subarray(at, at + command), command)) return undefined
      at += command
      continue
    }
    const [offset, count] = [[0, 1, 2, 3], [4, 5, 6]].map((bits) =>
      bits.reduce((value, bit, i) => value + ((command >> bit) & 1 ? (delta[at++] ?? 0) * 256 ** i : 0), 0)
    ) as [number, number]
    const copied = count === 0 ? 0x10000 : count
    if (!put(base.subarray(offset, offset + copied), copied)) return undefined
  }
  return made === total ? result : undefined
}
