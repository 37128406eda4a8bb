import type { CliSurface } from "../contract/rows/operation.ts"
import { type PayloadField, payloadFields } from "../contract/rows/payload-fields.ts"
import { named } from "../contract/text/names.ts"
import type { Command } from "./commands.ts"

/** Values for positional arguments that were not typed, by JSON name. */
export type Defaults = Readonly<Record<string, string | undefined>>

/** Values of the positional arguments. */
export interface Positional {
  readonly values: Readonly<Record<string, unknown>>
  /** The first argument that is needed and not there. */
  readonly missing: string | undefined
  /** Words that no argument takes. */
  readonly others: ReadonlyArray<string>
}

/** A whole number for a field of such; the Schema refuses any other word. */
const valueOf = (word: string, { _tag }: PayloadField["kind"]) =>
  _tag === "integer" && /^[0-9]{1,9}$/.test(word) ? Number(word) : word

/**
 * Gives words to the positional arguments from left to right; a list takes all that are left. Where there are fewer words than arguments,
 * those that have a default are taken for not typed. Fields that have a flag as well come last. `given` are the flags' fields.
 */
export const positional = (
  operation: Command,
  words: ReadonlyArray<string>,
  given: Readonly<Record<string, unknown>>,
  defaults: Defaults
): Positional => {
  const cli: CliSurface = operation.cli
  const fields = payloadFields(operation.payload())
  const isGiven = (flag: string | undefined) => flag !== undefined && given[flag] === true
  const args = cli.args
    .map((name) => fields.find((field) => field.name === name)!)
    .filter(({ name }) => !isGiven(cli.unless?.[name]))
  const maySpare = ({ name }: { readonly name: string }) => isGiven(cli.neededWithout?.[name])
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
