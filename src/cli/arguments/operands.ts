import { parseArgs } from "node:util"
import type { CliSurface } from "../../contract/rows/operation.ts"
import { type PayloadField, payloadFields } from "../../contract/rows/payload-fields.ts"
import { named } from "../../contract/text/names.ts"
import type { Command } from "../rows/rows.ts"
import type { Flag } from "./flags.ts"

/** The flags and operands of a command line. */
interface ReadWords {
  /** Values by the flag's name, in their order. A given switch has the value `true`. */
  readonly values: ReadonlyMap<string, ReadonlyArray<string>>
  /** The words that belong to no flag, in their order. */
  readonly operands: ReadonlyArray<string>
  /** Flags that were typed with the name of their field, by this name with underscores: `memory_mib` -> `memory-mib`. */
  readonly typedNames: Readonly<Record<string, string>>
}

/** A wrong word. Flags have their dashes. */
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
    /** The value of `--name` before the word. */
    readonly name: string | undefined
  }
  /** The words end before the flag's value. */
  | { readonly _tag: "NoValue"; readonly flag: string }
  | { readonly _tag: "GivenTwice"; readonly flag: string }

/**
 * Separates flags, their values and operands. The word after a flag with a value is the value, whatever it begins with. Words after
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
  const typedNames = named<string>([])
  let taker = operands
  for (const token of tokensOf(words, flags)) {
    if (token.kind === "positional") taker.push(token.value)
    if (token.kind !== "option") continue
    const flag = byName.get(token.name)
    const takesValue = flag?.value !== undefined
    if (flag === undefined || (token.inlineValue === true && !takesValue)) {
      return {
        _tag: "UnknownFlag",
        word: token.word,
        option: token.rawName,
        operands,
        others: words.slice(token.at),
        name: values.get("name")?.at(-1)
      }
    }
    if (token.name === flag.also && flag.field !== undefined) typedNames[flag.field.name] = flag.also
    if (takesValue && token.value === undefined) {
      return { _tag: "NoValue", flag: token.rawName.startsWith("--") ? token.rawName : `--${flag.name}` }
    }
    const value = token.value ?? "true"
    const given = values.get(flag.name) ?? []
    if (given.length > 0 && !flag.repeated) return { _tag: "GivenTwice", flag: `--${flag.name}` }
    // `-e=A=B` means `-e A=B`.
    given.push(token.inlineValue === true && !token.rawName.startsWith("--") ? value.replace(/^=/, "") : value)
    values.set(flag.name, given)
    taker = greedy.includes(flag.name) ? given : operands
  }
  return { values, operands, typedNames }
}

/** The last value of a flag. */
export const lastValue = (
  words: ReadonlyArray<string>,
  flags: ReadonlyArray<Flag>,
  name: string
): string | undefined => {
  let value: string | undefined
  for (const token of tokensOf(words, flags)) {
    if (token.kind === "option" && token.name === name && typeof token.value === "string") value = token.value
  }
  return value
}

/** Position of the operand after `before` others. Undefined after an unknown flag, because the operand may be its value. */
export const operandAt = (
  words: ReadonlyArray<string>,
  flags: ReadonlyArray<Flag>,
  before: number
): number | undefined => {
  let count = 0
  for (const token of tokensOf(words, flags)) {
    if (token.kind === "option" && !flags.some(({ also, name }) => name === token.name || also === token.name)) {
      return undefined
    }
    if (token.kind === "positional" && count++ === before) return token.at
  }
  return undefined
}

/** Words per call of `parseArgs`: its time grows with the square of their number, 77 s for 200,000. */
const PORTION = 1_000

/** The tokens of `parseArgs`, each with its word. */
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

/** Default values of positional arguments, by JSON name. */
export type Defaults = Readonly<Record<string, string | undefined>>

/** Values of the positional arguments. */
interface Positional {
  readonly values: Readonly<Record<string, unknown>>
  /** The first required argument that is missing. */
  readonly missing: string | undefined
  /** Words that no argument takes. */
  readonly others: ReadonlyArray<string>
}

/** A number for an integer field. The Schema refuses any other word. */
const valueOf = (word: string, { _tag }: PayloadField["kind"]) =>
  _tag === "integer" && /^[0-9]{1,9}$/.test(word) ? Number(word) : word

/**
 * Assigns words to the positional arguments from left to right; a list takes all remaining words. If there are fewer words than arguments,
 * the arguments with a default get the default. Fields that also have a flag come last. `given` has the fields of the given flags.
 */
export const positional = (
  operation: Command,
  words: ReadonlyArray<string>,
  given: Readonly<Record<string, unknown>>,
  defaults: Defaults
): Positional => {
  const cli: CliSurface = operation.cli
  const fields = payloadFields(operation.payload())
  const isGiven = (flag: string | undefined) => flag !== undefined && given[flag] !== undefined
  const args = cli.args
    .map((name) => fields.find((field) => field.name === name)!)
    .filter(({ name }) => !isGiven(cli.unless?.[name]))
  const maySpare = ({ name }: { readonly name: string }) => cli.neededWithout?.[name]?.some(isGiven) === true
  const isNeeded = ({ name, required }: { readonly name: string; readonly required: boolean }) =>
    required || cli.unless?.[name] !== undefined || cli.neededWithout?.[name] !== undefined
  const mayBeEmpty = (one: (typeof args)[number]) => one.kind._tag === "list" && !isNeeded(one)
  const least = args.filter((one) => !maySpare(one) && !mayBeEmpty(one)).length
  const values = named<unknown>([])
  const left = [...words]
  for (const arg of args) {
    const { kind, name } = arg
    const isList = kind._tag === "list"
    const fallback = words.length < least ? defaults[name] : undefined
    if (fallback !== undefined) values[name] = fallback
    else if (left.length > 0) values[name] = isList ? left.splice(0) : valueOf(left.shift()!, kind)
    else if (isNeeded(arg) && !maySpare(arg)) return { missing: name, others: [], values }
  }
  for (const name of cli.argsOrFlags ?? []) {
    if (left.length === 0) continue
    const isList = fields.find((field) => field.name === name)!.kind._tag === "list"
    // Words and flags are parts of one list.
    if (isList) values[name] = [...(given[name] as ReadonlyArray<string> | undefined) ?? [], ...left.splice(0)]
    else if (given[name] === undefined) values[name] = left.shift()
  }
  return { missing: undefined, others: left, values }
}
