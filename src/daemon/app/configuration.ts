import { Effect, Option } from "effect"
import type { ConfigResult } from "../../contract/rows/host.ts"
import { Paths, pathVariables } from "../../system/files/Paths.ts"
import { startVariables } from "../../system/processes/start-variables.ts"
import { processEnvironment, settingAmong } from "../../system/settings/config.ts"
import { isStale } from "../../system/settings/daemon-settings.ts"
import { type Variable, type VariableName, variables } from "../../system/settings/variables.ts"
import { runningDaemon } from "./daemon-control.ts"

/** Variables that may hold a key, and variables whose URL may hold a password. */
const SECRET = /_HEADERS$|_ATTRIBUTES$/
const URLS = /_PROXY$|_ENDPOINT$/i

/** A value without its secrets. A password may have any character, also a line end, and a query of a URL may be a key. */
const shown = (name: string, value: number | string) => {
  if (typeof value === "number") return value
  if (SECRET.test(name)) return "(set)"
  if (!URLS.test(name)) return value
  return value.replace(/^\s*([a-z][a-z0-9+.-]*:\/\/)?.*@/is, "$1***@").replace(/\?.*$/s, "?***")
}

type Values = Readonly<Record<string, string | undefined>>

const isSetIn = (values: Values, name: VariableName) => (values[name] ?? "") !== ""

/** The value in an environment, and where it comes from. */
const found = (values: Values, name: VariableName, directory?: string) => {
  const value = directory ?? settingAmong(values, name)
  return {
    source: isSetIn(values, name) ? "environment" : "default",
    ...(value === undefined ? {} : { value: shown(name, value) })
  } as const
}

/** Value of the running daemon, if it differs. Passwords are compared, and not shown. */
const ofDaemon = (started: Values | undefined, own: Values, name: VariableName) =>
  started !== undefined && isStale(name, own, started) ? { daemon: found(started, name) } : {}

/** Every variable that pyro reads, with its value, where the value comes from, and what the running daemon has in its place. */
export const showConfiguration = Effect.gen(function*() {
  const directories: Readonly<Record<string, string | undefined>> = pathVariables(yield* Paths)
  const daemon = yield* runningDaemon
  const started = Option.isNone(daemon) ? undefined : startVariables(daemon.value.process)
  const own = { ...processEnvironment(), ...directories }
  return {
    settings: (Object.keys(variables) as ReadonlyArray<VariableName>).map((name) => {
      const { group, otherwise, purpose, readers, unit }: Variable = variables[name]
      return {
        name,
        group,
        ...found(processEnvironment(), name, directories[name]),
        ...ofDaemon(started, own, name),
        ...(otherwise === undefined ? {} : { otherwise }),
        ...(unit === undefined ? {} : { unit }),
        purpose,
        readers
      }
    })
  } satisfies ConfigResult
})
