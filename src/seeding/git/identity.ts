import { Effect } from "effect"
import { named } from "../../contract/text/names.ts"
import { runTool } from "../../system/processes/child.ts"
import { findProgram } from "../../system/processes/host.ts"
import { processEnvironment } from "../../system/settings/config.ts"

/** Committer, as in `user.name` and `user.email`. */
export interface Identity {
  readonly name?: string | undefined
  readonly email?: string | undefined
}

/** Variables that name the places of the user's configuration. */
const places = ["HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"]

const timeoutMs = 5_000

/**
 * Committer on this host, from the configuration of the system and the user with included files. Reads no repository, and runs nothing
 * from a configuration.
 */
export const hostIdentity: Effect.Effect<Identity> = Effect.suspend(() => {
  const program = findProgram("git")
  if (program === undefined) return Effect.succeed({})
  const env = Object.entries(processEnvironment()).filter(([name]) => places.includes(name))
  return runTool(program, ["config", "--includes", "-z", "--get-regexp", "^user\\.(name|email)$"], {
    cwd: "/",
    env: { ...named(env), GIT_DIR: "/nonexistent", LC_ALL: "C" },
    maxOutputBytes: 64 * 1024
  }).pipe(
    Effect.timeout(timeoutMs),
    Effect.map(({ stdout }) => {
      // Of several values of a name, the last one counts.
      const values = new Map(
        stdout.toString().split("\0").map((record) => {
          const end = record.indexOf("\n")
          return [record.slice(0, end), record.slice(end + 1)] as const
        })
      )
      return identityIn(values)
    }),
    Effect.orElseSucceed(() => ({}))
  )
})

/** One line of printable text. */
const presentable = (text: string | undefined) => {
  const trimmed = text?.trim() ?? ""
  return trimmed !== "" && trimmed.length <= 200 && !/[\p{Cc}\ufffd]/u.test(trimmed) ? trimmed : undefined
}

/** Committer by the settings of a repository. */
const identityIn = (settings: ReadonlyMap<string, string>): Identity => ({
  name: presentable(settings.get("user.name")),
  email: presentable(settings.get("user.email"))
})

/** A repository's own settings have precedence, as in git. */
export const committer = (settings: ReadonlyMap<string, string>, host: Identity): Identity => {
  const own = identityIn(settings)
  return { name: own.name ?? host.name, email: own.email ?? host.email }
}
