/** Levenshtein distance of two words. */
export const distanceOf = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

const MOST = 3

/** Names that begin with the word, or differ by one or two letters. Nearest first. */
export const similarTo = (word: string, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names
    .filter((name) => name.length <= 64)
    .map((name) => ({ name, far: name.startsWith(word) ? 0 : distanceOf(word.slice(0, 64), name) }))
    // A word of two letters would match every name of two letters.
    .filter(({ far }) => word !== "" && far <= 2 && (far === 0 || far < word.length))
    .sort((a, b) => a.far - b.far)
    .slice(0, MOST)
    .map(({ name }) => name)

const lettersOf = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "")

/** Environments whose names differ from a word in signs or in one or two letters, or else the first of the same system. Nearest first. */
export const similarEnvironments = (word: string, known: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (lettersOf(word) === "") return []
  const same = known.filter((name) => lettersOf(name) === lettersOf(word))
  if (same.length > 0) return same.slice(0, MOST)
  const near = similarTo(word, known)
  return near.length > 0 || !word.startsWith("debian")
    ? near
    : known.filter((name) => name.startsWith("debian")).slice(0, 1)
}

/** The end of a fact about an unknown name. */
export const didYouMean = (similar: ReadonlyArray<string>): string =>
  similar.length === 0 ? "" : `. Did you mean ${similar.join(" or ")}?`
