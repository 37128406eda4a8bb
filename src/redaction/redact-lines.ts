import { markerOf, type SecretSet } from "./filter/output-filter.ts"

/**
 * Lines of a screen without secrets, also where a value goes on in the next line: a full-screen program breaks long lines by itself. The
 * marker stands where the value begins.
 */
export const redactLines = (set: SecretSet | undefined, lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (set === undefined || lines.length === 0) return lines
  const encoded = lines.map((line) => Buffer.from(line, "utf8"))
  const found: Array<{ begin: number; end: number; owner: number }> = []
  set.matcher.scan(Buffer.concat(encoded), 0, (end, { bytes: { length }, owner }) => {
    const begin = end - length
    // Matches come in the order of their ends: the ones inside this one go.
    while (found.length > 0 && found.at(-1)!.begin >= begin) found.pop()
    const last = found.at(-1)
    if (last !== undefined && begin < last.end) last.end = end
    else found.push({ begin, end, owner })
  })
  if (found.length === 0) return lines
  let from = 0
  let next = 0
  return encoded.map((line) => {
    const to = from + line.length
    const parts: Array<Uint8Array> = []
    let at = from
    for (let match = found[next]; match !== undefined && match.begin < to; match = found[next]) {
      if (match.begin >= at) {
        parts.push(line.subarray(at - from, match.begin - from), Buffer.from(markerOf(set.names[match.owner]!)))
      }
      at = Math.min(match.end, to)
      // It goes on in the next line.
      if (match.end > to) break
      next++
    }
    parts.push(line.subarray(at - from))
    from = to
    return Buffer.concat(parts).toString("utf8")
  })
}
