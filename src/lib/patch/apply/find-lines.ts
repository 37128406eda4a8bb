/** How lines are compared, the strictest way first. */
export type Likeness = "exact" | "line end" | "trailing space" | "space"

const normal: Readonly<Record<Likeness, (line: string) => string>> = {
  exact: (line) => line,
  "line end": (line) => line.endsWith("\n") ? line.slice(0, -1) : line,
  "trailing space": (line) => trimmedEnd(line),
  space: (line) => trimmedEnd(line.replace(/^[ \t]+/, ""))
}

// A regular expression that ends with $ takes quadratic time on long white space.
const trimmedEnd = (line: string) => {
  let end = line.length
  while (end > 0 && " \t\r\n".includes(line[end - 1]!)) end--
  return line.slice(0, end)
}

/** The lines of a file, for repeated searches. */
export class FileLines {
  readonly lines: ReadonlyArray<string>
  readonly #normal = new Map<Likeness, ReadonlyArray<string>>()

  constructor(lines: ReadonlyArray<string>) {
    this.lines = lines
  }

  get count() {
    return this.lines.length
  }

  matchesAt(wanted: ReadonlyArray<string>, at: number): boolean {
    if (at < 0 || at + wanted.length > this.lines.length) return false
    return wanted.every((line, i) => line === this.lines[at + i])
  }

  /** The first places, at most `most`, of the wanted lines. Linear time (Knuth, Morris, Pratt). */
  find(wanted: ReadonlyArray<string>, how: { readonly like: Likeness; readonly from: number; readonly most: number }) {
    const pattern = how.like === "exact" ? wanted : wanted.map(normal[how.like])
    const lines = this.#as(how.like)
    const fallback = fallbackOf(pattern)
    const found: Array<number> = []
    let matched = 0
    for (let at = Math.max(0, how.from); at < lines.length && found.length < how.most; at++) {
      while (matched > 0 && pattern[matched] !== lines[at]) matched = fallback[matched - 1]!
      if (pattern[matched] === lines[at]) matched++
      if (matched < pattern.length) continue
      found.push(at - pattern.length + 1)
      matched = fallback[matched - 1]!
    }
    return found
  }

  #as(like: Likeness) {
    const lines = this.#normal.get(like) ?? (like === "exact" ? this.lines : this.lines.map(normal[like]))
    this.#normal.set(like, lines)
    return lines
  }
}

/** For each prefix of the pattern: the length of its longest proper suffix that is also a prefix of the pattern. */
const fallbackOf = (pattern: ReadonlyArray<string>) => {
  const lengths = new Int32Array(pattern.length)
  for (let at = 1, matched = 0; at < pattern.length; at++) {
    while (matched > 0 && pattern[matched] !== pattern[at]) matched = lengths[matched - 1]!
    if (pattern[matched] === pattern[at]) matched++
    lengths[at] = matched
  }
  return lengths
}
