import type { PyroError } from "./errors.ts"

/** Whose exit status a process hands on: the guest command's (`run`, `exec`) or only pyro's own. */
export type ExitFamily = "guest" | "own"

/** Status of a wrong command line, everywhere. */
const USAGE = 2
/** Status of a command that ran past its timeout, as with timeout(1). */
export const TIMED_OUT = 124
/** Status of `exec --wait-seconds` whose time is over while the command runs: "try again later" in sysexits.h, and hardly a program's own. */
export const STILL_RUNNING = 75
/** Status of a command that the guest's OOM killer ended: 128 + SIGKILL. */
export const OUT_OF_MEMORY = 137

/** The status where only pyro failed: a guest's own status must stay recognisable, so 125 as with env(1) and docker. */
export const ownFailure = (family: ExitFamily): number => family === "guest" ? 125 : 1

/** Errors with a status of their own: after any other, pyro itself failed. */
const statuses: { readonly [Tag in PyroError["_tag"]]?: number } = {
  InvalidRequest: USAGE,
  CommandNotFound: 127,
  CommandNotExecutable: 126,
  CommandNotStarted: 125
}

/** The status to leave with after `error`. */
export const exitStatus = (error: PyroError, family: ExitFamily): number => statuses[error._tag] ?? ownFailure(family)
