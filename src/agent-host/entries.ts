import type { Server } from "./agent-host.ts"
import { at, type Json } from "./json.ts"

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
