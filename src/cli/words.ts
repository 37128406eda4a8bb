import { Either } from "effect"

/** A command line whose values are hidden behind tokens that no parser can mistake, trim or split. */
export interface ShieldedWords {
  readonly words: ReadonlyArray<string>
  /** The value behind a token; anything else comes back as it is. */
  readonly restore: (token: string) => string
}

/** What no parser could make anything of. */
export type BadWord =
  | { readonly _tag: "UnknownFlag"; readonly word: string }
  /** The words end where its value is awaited. */
  | { readonly _tag: "NoValue"; readonly flag: string }

export interface KnownFlags {
  /** With their dashes. */
  readonly all: ReadonlyArray<string>
  readonly takingValues: ReadonlyArray<string>
  /** Flags, with their dashes, by their letter: `-e` is `--env`. */
  readonly letters: ReadonlyMap<string, string>
  /** Flags whose further words are values as well, up to the next flag. */
  readonly greedy: ReadonlyArray<string>
}

/** `-it` is `-i -t`, and `-eA=B` is `-e A=B`; a word that is no cluster of known letters comes back as it is. */
const spelledOut = (word: string, { letters, takingValues }: KnownFlags): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let at = 1; at < word.length; at++) {
    const flag = letters.get(word[at]!)
    if (flag === undefined) return [word]
    const value = word.slice(at + 1)
    if (takingValues.includes(flag) && value !== "") {
      return [...found, `${flag}=${value.startsWith("=") ? value.slice(1) : value}`]
    }
    found.push(flag)
  }
  return found
}

/**
 * Takes the flags that may be repeated, and their values, out of shielded words: @effect/cli reads all words again for each of them, so
 * that 20,000 took 12 s.
 */
export const takeRepeated = (words: ReadonlyArray<string>, repeated: ReadonlyArray<string>) => {
  const values = new Map<string, Array<string>>()
  const others: Array<string> = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (!repeated.includes(word)) {
      others.push(word)
      continue
    }
    const given = values.get(word)
    const value = words[++at]!
    if (given === undefined) values.set(word, [value])
    else given.push(value)
  }
  return { others, values } as const
}

/**
 * Writes `--flag=value` as two words and puts tokens in the place of values: @effect/cli trims values, and knows
 * repeated flags only without `=`, and takes a repeated one without a value for not given.
 */
export const shielded = (words: ReadonlyArray<string>, flags: KnownFlags): Either.Either<ShieldedWords, BadWord> => {
  const values: Array<string> = []
  const hide = (value: string) => `value:${values.push(value) - 1}`
  const result: Array<string> = []
  let awaiting: string | undefined
  let eating: string | undefined
  for (const word of words) {
    if (awaiting !== undefined || word === "-" || !word.startsWith("-")) {
      if (awaiting === undefined && eating !== undefined) result.push(eating)
      result.push(hide(word))
      awaiting = undefined
      continue
    }
    for (const one of word.startsWith("--") ? [word] : spelledOut(word, flags)) {
      const at = one.indexOf("=")
      const flag = at < 0 ? one : one.slice(0, at)
      const takesValue = flags.takingValues.includes(flag)
      if (!flags.all.includes(flag) || (at >= 0 && !takesValue)) return Either.left({ _tag: "UnknownFlag", word })
      result.push(flag)
      eating = flags.greedy.includes(flag) ? flag : undefined
      if (at >= 0) result.push(hide(one.slice(at + 1)))
      else if (takesValue) awaiting = flag
    }
  }
  if (awaiting !== undefined) return Either.left({ _tag: "NoValue", flag: awaiting })
  const restore = (token: string) =>
    /^value:\d+$/.test(token) ? values[Number(token.slice("value:".length))] ?? token : token
  return Either.right({ words: result, restore })
}
