import type { TestCounts } from "../../../contract/rows/workspace-try-fields.ts"

/** The report of one kind of test program, as it is read. */
export interface Format {
  /** Reads a line without colours. Whether it belongs to a report that can be counted. */
  readonly line?: (line: string) => boolean
  /** Reads output that is not cut into whole lines, without its line ends. */
  readonly piece?: (text: string) => boolean
  readonly counts: () => TestCounts
}

/** A number of a report. No program has more tests than nine digits. */
export const numberOf = (digits: string | undefined): number => Number((digits ?? "0").slice(0, 9))

/** `2 failed, 5 passed`: the numbers by their words. */
export const numbersOf = (text: string, separator: string): ReadonlyMap<string, number> => {
  const found = new Map<string, number>()
  for (const part of text.split(separator)) {
    const [, digits, word] = /^\s*(\d{1,9}) ([a-z]+(?: [a-z]+)?)\s*$/.exec(part) ?? []
    if (word !== undefined) found.set(word, numberOf(digits))
  }
  return found
}

/** Sum of the numbers of some words. */
export const sumOf = (numbers: ReadonlyMap<string, number>, ...words: ReadonlyArray<string>): number =>
  words.reduce((sum, word) => sum + (numbers.get(word) ?? 0), 0)
