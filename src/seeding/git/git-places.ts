import { named } from "../../contract/text/names.ts"
import { processEnvironment } from "../../system/settings/config.ts"

/** Variables that name the places of the user's git configuration. */
const names = ["HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"] as const

export type GitPlaces = Readonly<Partial<Record<typeof names[number], string>>>

/** The places of this process. */
export const gitPlaces = (): GitPlaces => {
  const variables = processEnvironment()
  return named(names.flatMap((name) => variables[name] === undefined ? [] : [[name, variables[name]]]))
}
