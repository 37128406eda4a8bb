import { Either } from "effect"

/** A command line whose values are hidden behind tokens that no parser can mistake, trim or split. */
export interface ShieldedWords {
  readonly words: ReadonlyArray<string>
  /** The value behind a token; anything else comes back as it is. */
  readonly restore: (token: string) => string
}

export interface KnownFlags {
  /** With their dashes. */
  readonly all: ReadonlyArray<string>
  readonly takingValues: ReadonlyArray<string>
}

/**
 * Writes `--flag=value` as two words and puts tokens in the place of values: @effect/cli trims values, and knows
 * repeated flags only without `=`. Left: the flag that does not exist.
 */
export const shielded = (words: ReadonlyArray<string>, flags: KnownFlags): Either.Either<ShieldedWords, string> => {
  const values: Array<string> = []
  const hide = (value: string) => `value:${values.push(value) - 1}`
  const result: Array<string> = []
  let valueNext = false
  for (const word of words) {
    if (valueNext || word === "-" || !word.startsWith("-")) {
      result.push(hide(word))
      valueNext = false
      continue
    }
    const at = word.indexOf("=")
    const flag = at < 0 ? word : word.slice(0, at)
    const takesValue = flags.takingValues.includes(flag)
    if (!flags.all.includes(flag) || (at >= 0 && !takesValue)) return Either.left(word)
    result.push(flag)
    if (at >= 0) result.push(hide(word.slice(at + 1)))
    else valueNext = takesValue
  }
  const restore = (token: string) =>
    /^value:\d+$/.test(token) ? values[Number(token.slice("value:".length))] ?? token : token
  return Either.right({ words: result, restore })
}
