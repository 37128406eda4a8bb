import { Effect } from "effect"
import type { ConfigResult } from "../contract/rows/host.ts"
import { Paths, pathVariables } from "../system/files/Paths.ts"
import { isNamed, settingNow } from "../system/settings/config.ts"
import { type Variable, type VariableName, variables } from "../system/settings/variables.ts"

/** Variables that may hold a key, and variables whose URL may hold a password. */
const SECRET = /_HEADERS$|_ATTRIBUTES$/
const URLS = /_PROXY$|_ENDPOINT$/i

/** A value without its secrets. */
const shown = (name: string, value: number | string) => {
  if (typeof value === "number") return value
  if (SECRET.test(name)) return "(set)"
  return URLS.test(name) ? value.replace(/^([a-z]+:\/\/)?.*@/i, "$1***@") : value
}

/** Every variable that pyro reads, with its value and where the value comes from. */
export const showConfiguration = Effect.map(Paths, (paths): ConfigResult => {
  const directories: Readonly<Record<string, string | undefined>> = pathVariables(paths)
  return {
    settings: (Object.keys(variables) as ReadonlyArray<VariableName>).map((name) => {
      const { default: otherwise, group, otherwise: inWords, purpose, readers, unit }: Variable = variables[name]
      const isSet = isNamed(name)
      const value = directories[name] ?? (isSet ? settingNow(name) : otherwise)
      return {
        name,
        group,
        source: isSet ? "environment" : "default",
        ...(value === undefined ? {} : { value: shown(name, value) }),
        ...(inWords === undefined ? {} : { otherwise: inWords }),
        ...(unit === undefined ? {} : { unit }),
        purpose,
        readers
      }
    })
  }
})
