import { settingAmong } from "./config.ts"
import { isOfDaemon, type Variable, type VariableName, variables } from "./variables.ts"

type Variables = Readonly<Record<string, string | undefined>>

/** Directories that the daemon and every command use: the daemon's own are those of its start. */
const directories: ReadonlyArray<VariableName> = ["PYRO_CACHE_DIR", "PYRO_MEMORY_DIR"]

/** Limits of the disk that the daemon keeps from its start on, and other commands read too. */
const limits: ReadonlyArray<VariableName> = ["PYRO_DISK_BUDGET_MIB", "PYRO_DISK_RESERVE_MIB", "PYRO_DEADLINE_SCALE"]

/**
 * Whether the running daemon goes on with another value than this shell has. `own` has the directories that hold, also where no variable
 * names them. `started`: what the daemon was started with, which names its directories.
 */
export const isStale = (name: VariableName, own: Variables, started: Variables): boolean => {
  const isTaken = directories.includes(name)
    ? started[name] !== undefined
    : isOfDaemon(name) || limits.includes(name)
  return isTaken && settingAmong(own, name) !== settingAmong(started, name)
}

/** Names of pyro's settings that this shell has and that are stale in the daemon. Proxies have a rule of their own (`proxies.ts`). */
export const differingSettings = (own: Variables, started: Variables): ReadonlyArray<VariableName> =>
  (Object.keys(variables) as ReadonlyArray<VariableName>).filter((name) => {
    const { group }: Variable = variables[name]
    return group === "pyro" && (own[name] ?? "") !== "" && isStale(name, own, started)
  })
