import { Context, Effect, Option, Schema } from "effect"

/** Variables that name the places of a user's git configuration. */
export const GIT_PLACES = [
  "HOME",
  "XDG_CONFIG_HOME",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM"
] as const

const Places = Schema.Struct({
  HOME: Schema.optionalKey(Schema.String),
  XDG_CONFIG_HOME: Schema.optionalKey(Schema.String),
  GIT_CONFIG_GLOBAL: Schema.optionalKey(Schema.String),
  GIT_CONFIG_SYSTEM: Schema.optionalKey(Schema.String),
  GIT_CONFIG_NOSYSTEM: Schema.optionalKey(Schema.String)
})

/** Values of these variables, of a process of the user. */
export type GitPlaces = typeof Places.Type

/** The places of the client of this fiber's request. Undefined: those of this process. */
export const callerGitPlaces: Context.Reference<GitPlaces | undefined> = Context.Reference(
  "pyro/contract/callerGitPlaces",
  { defaultValue: (): GitPlaces | undefined => undefined }
)

const HEADER = "pyro-git-places"
const InHeader = Schema.fromJsonString(Places)
const read = Schema.decodeOption(InHeader)
const write = Schema.encodeSync(InHeader)

/** The places among the variables of a process. */
export const gitPlacesOf = (variables: Readonly<Record<string, string | undefined>>): GitPlaces => {
  const places: { -readonly [Name in keyof GitPlaces]: string } = {}
  for (const name of GIT_PLACES) {
    const value = variables[name]
    if (value !== undefined) places[name] = value
  }
  return places
}

/** The header with which a client tells its places: the daemon may be older than a variable of its shell. */
export const gitPlacesHeader = (variables: Readonly<Record<string, string | undefined>>) => ({
  [HEADER]: write(gitPlacesOf(variables))
})

/** Handles a request with the places that its header names. */
export const withGitPlaces =
  (headers: Readonly<Record<string, string | undefined>>) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Option.match(read(headers[HEADER] ?? ""), {
      onNone: () => work,
      onSome: (places) => Effect.provideService(work, callerGitPlaces, places)
    })
