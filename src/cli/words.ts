import { parseArgs } from "node:util"
import { named } from "../contract/text/names.ts"
import type { Flag } from "./flags.ts"

/** The words of a command line, told apart. */
export interface ReadWords {
  /** Values by the flag's name, in their order; a switch that was given has the value `true`. */
  readonly values: ReadonlyMap<string, ReadonlyArray<string>>
  /** The words that belong to no flag, in their order. */
  readonly operands: ReadonlyArray<string>
}

/** Words that mean nothing. Flags have their dashes. */
export type BadWord =
  | {
    readonly _tag: "UnknownFlag"
    readonly word: string
    /** The option itself: "-x" of the word "-tx", "--foo" of "--foo=1". */
    readonly option: string
    /** The operands before the word. */
    readonly operands: ReadonlyArray<string>
    /** The words from this one on. */
    readonly others: ReadonlyArray<string>
  }
  /** The words end where its value is awaited. */
  | { readonly _tag: "NoValue"; readonly flag: string }
  | { readonly _tag: "GivenTwice"; readonly flag: string }

/**
 * Tells flags, their values and operands apart. The word behind a flag with a value is the value, whatever it begins with. Words behind
 * the value of a greedy flag are further values, up to the next flag.
 */
export const readWords = (
  words: ReadonlyArray<string>,
  flags: ReadonlyArray<Flag>,
  greedy: ReadonlyArray<string>
): ReadWords | BadWord => {
  const byName = new Map([
    ...flags.map((flag) => [flag.also ?? flag.name, flag] as const),
    ...flags.map((flag) => [flag.name, flag] as const)
  ])
  const values = new Map<string, Array<string>>()
  const operands: Array<string> = []
  let taker = operands
  for (const token of tokensOf(words, flags)) {
    if (token.kind === "positional") taker.push(token.value)
    if (token.kind !== "option") continue
    const flag = byName.get(token.name)
    const takesValue = flag?.value !== undefined
    if (flag === undefined || (token.inlineValue === true && !takesValue)) {
      return { _tag: "UnknownFlag", word: token.word, option: token.rawName, operands, others: words.slice(token.at) }
    }
    if (takesValue && token.value === undefined) return { _tag: "NoValue", flag: `--${flag.name}` }
    const value = token.value ?? "true"
    const given = values.get(flag.name) ?? []
    if (given.length > 0 && !flag.repeated) return { _tag: "GivenTwice", flag: `--${flag.name}` }
    // `-e=A=B` means `-e A=B`.
    given.push(token.inlineValue === true && !token.rawName.startsWith("--") ? value.replace(/^=/, "") : value)
    values.set(flag.name, given)
    taker = greedy.includes(flag.name) ? given : operands
  }
  return { values, operands }
}

/** Position of the operand that `before` others precede; none behind a flag that is not known, whose value it might be. */
export const operandAt = (
  words: ReadonlyArray<string>,
  flags: ReadonlyArray<Flag>,
  before: number
): number | undefined => {
  let count = 0
  for (const token of tokensOf(words, flags)) {
    if (token.kind === "option" && !flags.some(({ name }) => name === token.name)) return undefined
    if (token.kind === "positional" && count++ === before) return token.at
  }
  return undefined
}

/** Words that Node is given at once: its time grows with the square of their number, 77 s for 200,000. */
const PORTION = 1_000

/** Node's tokens, each with the word that it comes from. */
function* tokensOf(words: ReadonlyArray<string>, flags: ReadonlyArray<Flag>) {
  const options = optionsOf(flags)
  for (let from = 0; from < words.length;) {
    const portion = words.slice(from, from + PORTION)
    const { tokens } = parseArgs({ args: portion, options, strict: false, tokens: true })
    const last = tokens.at(-1)
    // The value of the last flag may be the first word of the next portion, which then begins with the flag.
    const isOpen = last?.kind === "option" && last.value === undefined && from + PORTION < words.length
    const end = isOpen && last.index > 0 ? last.index : portion.length
    for (const token of tokens) {
      if (token.index < end) yield { ...token, at: from + token.index, word: portion[token.index] ?? "" }
    }
    from += end
  }
}

const optionsOf = (flags: ReadonlyArray<Flag>) =>
  named([
    ...flags.map(({ also, name, value }) => [also ?? name, { type: typeOf(value) }] as const),
    ...flags.map(({ letter, name, value }) =>
      [name, { type: typeOf(value), ...(letter === undefined ? {} : { short: letter }) }] as const
    )
  ])

const typeOf = (value: string | undefined) => value === undefined ? "boolean" : "string"
