import { Context, Effect, Option, Schema } from "effect"

/** Variables that name the places of a user's git configuration. */
const GIT_PLACES = [
  "HOME",
  "XDG_CONFIG_HOME",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM"
] as const

/** Settings that count for seeds, by the names that git knows. Others may have a password. */
const COUNTED =
  /^(user\.(name|email)|core\.(excludesfile|attributesfile|filemode|symlinks|autocrlf|eol)|include\.path|includeif\..+\.path)$/i
/** Maximum number of settings. */
const MAX_SETTINGS = 1_000

/** Variables that name a repository, or a part of one, in place of the one around a directory. */
const REPOSITORY_VARIABLES = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_COMMON_DIR"
] as const

/** Variables with the committer of commits. The author is the committer, too. */
const COMMITTER_VARIABLES = ["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] as const

const Places = Schema.Struct({
  HOME: Schema.optionalKey(Schema.String),
  XDG_CONFIG_HOME: Schema.optionalKey(Schema.String),
  GIT_CONFIG_GLOBAL: Schema.optionalKey(Schema.String),
  GIT_CONFIG_SYSTEM: Schema.optionalKey(Schema.String),
  GIT_CONFIG_NOSYSTEM: Schema.optionalKey(Schema.String),
  /** Settings of `GIT_CONFIG_COUNT` and `GIT_CONFIG_PARAMETERS`, in git's order. */
  settings: Schema.optionalKey(Schema.Array(Schema.Tuple([Schema.String, Schema.String]))),
  /** Variables that name a repository. */
  repository: Schema.optionalKey(Schema.Array(Schema.Tuple([Schema.Literals(REPOSITORY_VARIABLES), Schema.String]))),
  /** Variables that name another committer than the author. */
  committer: Schema.optionalKey(Schema.Array(Schema.Literals(COMMITTER_VARIABLES)))
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

type Variables = Readonly<Record<string, string | undefined>>

/** A text in single quotes, as git writes one: only a quote and an exclamation mark stand outside of the quotes. */
const QUOTED = "'((?:[^']|'\\\\['!]')*)'"
const PARAMETER = new RegExp(`${QUOTED}(?:=${QUOTED})?`, "g")
const unquoted = (text: string) => text.replace(/'\\(['!])'/g, "$1")

/** The settings of `git -c`, which git passes on to its programs: `'name'='value'`, or `'name=value'` of an older git. */
const parametersOf = (text: string) =>
  [...text.matchAll(PARAMETER)].map(([, first = "", second]): readonly [string, string] => {
    const name = unquoted(first)
    const at = name.indexOf("=")
    return second !== undefined
      ? [name, unquoted(second)]
      : at < 0
      ? [name, "true"]
      : [name.slice(0, at), name.slice(at + 1)]
  })

/** The counted settings that a process gives git by its variables. */
const settingsOf = (variables: Variables) => {
  const count = Number(/^\d{1,6}$/.exec(variables["GIT_CONFIG_COUNT"] ?? "")?.[0] ?? 0)
  const numbered = Array.from({ length: Math.min(count, MAX_SETTINGS) }, (_, at) =>
    [
      variables[`GIT_CONFIG_KEY_${at}`] ?? "",
      variables[`GIT_CONFIG_VALUE_${at}`] ?? ""
    ] as const)
  return [...numbered, ...parametersOf(variables["GIT_CONFIG_PARAMETERS"] ?? "")]
    .filter(([name]) => COUNTED.test(name)).slice(0, MAX_SETTINGS)
}

/** The author that a process gives git by its variables, as settings: it has precedence over them. */
const authorOf = (variables: Variables) =>
  ([["user.name", "GIT_AUTHOR_NAME"], ["user.email", "GIT_AUTHOR_EMAIL"]] as const).flatMap(([setting, name]) => {
    const value = variables[name] ?? ""
    return value === "" ? [] : [[setting, value] as const]
  })

/** Variables with a committer that is not the author of the other ones. */
const otherCommitter = (variables: Variables) =>
  COMMITTER_VARIABLES.filter((name) => {
    const value = variables[name] ?? ""
    return value !== "" && value !== variables[name.replace("COMMITTER", "AUTHOR")]
  })

/** The places among the variables of a process. */
export const gitPlacesOf = (variables: Variables): GitPlaces => {
  const places: { -readonly [Name in (typeof GIT_PLACES)[number]]?: string } = {}
  for (const name of GIT_PLACES) {
    const value = variables[name]
    if (value !== undefined) places[name] = value
  }
  const settings = [...settingsOf(variables), ...authorOf(variables)]
  const committer = otherCommitter(variables)
  const repository = REPOSITORY_VARIABLES.flatMap((name) => {
    const value = variables[name]
    return value === undefined || value === "" ? [] : [[name, value] as const]
  })
  return {
    ...places,
    ...(settings.length === 0 ? {} : { settings }),
    ...(repository.length === 0 ? {} : { repository }),
    ...(committer.length === 0 ? {} : { committer })
  }
}

/** The variables with which git reads the configuration of these places. */
export const gitVariables = (
  { committer: _, repository: _repository, settings = [], ...places }: GitPlaces
): ReadonlyArray<readonly [string, string]> => [
  ...Object.entries(places),
  ...(settings.length === 0 ? [] : [["GIT_CONFIG_COUNT", `${settings.length}`] as const]),
  ...settings.flatMap(([name, value], at) =>
    [
      [`GIT_CONFIG_KEY_${at}`, name],
      [`GIT_CONFIG_VALUE_${at}`, value]
    ] as const
  )
]

/** The header with which a client tells its places: the daemon may be older than a variable of its shell. */
export const gitPlacesHeader = (variables: Variables) => ({
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
