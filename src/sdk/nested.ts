import { type Operation, type OperationName, operations } from "../contract/rows/operations.ts"
import type { Head, Tail } from "../contract/rows/Pyro.ts"
import { named } from "../contract/text/names.ts"

/** Types of the calls of one API: one type for each operation's name. */
export type Calls = { readonly [Name in OperationName]: unknown }

/** The calls of an API by the operations' names: `workspace.file.list` is `api.workspace.file.list`. */
export type Nested<All extends Calls, Name extends string = OperationName, Prefix extends string = ""> = {
  readonly [First in Head<Name>]: `${Prefix}${First}` extends OperationName ? All[`${Prefix}${First}`]
    : Nested<All, Tail<Name, First>, `${Prefix}${First}.`>
}

/** Makes a call for every row of the table. */
export const nested = (callOf: (row: Operation) => unknown): unknown => {
  const root = named<unknown>([])
  for (const row of operations) {
    const words = row.name.split(".")
    let at = root
    for (const word of words.slice(0, -1)) at = (at[word] ??= named([])) as Record<string, unknown>
    at[words.at(-1)!] = callOf(row)
  }
  return root
}
