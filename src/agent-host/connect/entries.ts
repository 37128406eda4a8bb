import { named } from "../../contract/text/names.ts"
import { at, isTable, type Json } from "../format/json.ts"
import type { Server, Variables } from "../hosts/agent-host.ts"

/** The variables of a server under the key that a host has for them. */
export const envOf = ({ env }: Server, key = "env"): { readonly [key: string]: Json } =>
  env === undefined ? {} : { [key]: env }

const strings = (value: unknown): ReadonlyArray<string> | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === "string") ? value : undefined

/** The command line of an entry with a program and its arguments. */
export const commandLine = (entry: unknown, program = "command"): ReadonlyArray<string> | undefined => {
  const command = at(entry, [program])
  const args = at(entry, ["args"]) ?? []
  const words = strings(args)
  return typeof command === "string" && words !== undefined ? [command, ...words] : undefined
}

/** The command line of an entry that has all words in one list. */
export const commandList = (entry: unknown): ReadonlyArray<string> | undefined => strings(at(entry, ["command"]))

/** The variables that an entry sets, under the key that its host has for them. */
export const variablesOf = (entry: unknown): Variables => {
  const table = [["env"], ["environment"], ["envs"], ["transport", "env"]].map((path) => at(entry, path)).find(isTable)
  return named(Object.entries(table ?? {}).flatMap(([name, value]) => typeof value === "string" ? [[name, value]] : []))
}

/** Variables of an entry that hand on variables of the host, for a host that replaces `$NAME`. */
export const handedOn = (names: ReadonlyArray<string>): Variables => named(names.map((name) => [name, `$${name}`]))

/** Whether a variable of an entry hands on the host's variable of that name, and has no value of its own. */
export const isHandedOn = ([name, value]: readonly [string, string]): boolean => value === `$${name}`

/** The values of an option in a command line. */
export const optionValues = (args: ReadonlyArray<string>, flag: string): ReadonlyArray<string> =>
  args.flatMap((word, index) =>
    word === flag && args[index + 1] !== undefined
      ? [args[index + 1]!]
      : word.startsWith(`${flag}=`)
      ? [word.slice(flag.length + 1)]
      : []
  )

/** Variables of the host without which the server does not start: those with the values of its secrets. */
export const neededVariables = (args: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(optionValues(args, "--secret-env"))
]
