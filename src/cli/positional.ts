import type { CliSurface } from "../contract/operation.ts"
import { payloadFields } from "../contract/payload-fields.ts"
import type { Command } from "./commands.ts"

/** Values for positional arguments that were not typed, by JSON name. */
export type Defaults = Readonly<Record<string, string | undefined>>

/** What the positional arguments come to. */
export interface Positional {
  readonly values: Readonly<Record<string, unknown>>
  /** The first argument that is needed and not there. */
  readonly missing: string | undefined
  /** Words that no argument takes. */
  readonly others: ReadonlyArray<string>
}

/**
 * Gives words to the positional arguments from left to right; a list takes all that are left. Where there are fewer words than arguments,
 * those that have a default are taken for not typed. `given` are the flags' fields.
 */
export const positional = (
  operation: Command,
  words: ReadonlyArray<string>,
  given: Readonly<Record<string, unknown>>,
  defaults: Defaults
): Positional => {
  const cli: CliSurface = operation.cli
  const fields = payloadFields(operation.payload())
  const args = cli.args.map((name) => fields.find((field) => field.name === name)!)
  const isSpared = ({ name }: { readonly name: string }) => given[cli.unless?.[name] ?? ""] === true
  const needed = args.filter((one) => !isSpared(one)).length
  const values: Record<string, unknown> = {}
  const left = [...words]
  for (const arg of args) {
    const { kind, name, required } = arg
    const isList = kind._tag === "list"
    const fallback = words.length < needed ? defaults[name] : undefined
    if (fallback !== undefined) values[name] = fallback
    else if (left.length > 0) values[name] = isList ? left.splice(0) : left.shift()
    else if ((required || cli.unless?.[name] !== undefined) && !isSpared(arg)) {
      return { missing: name, others: [], values }
    }
  }
  return { missing: undefined, others: left, values }
}
