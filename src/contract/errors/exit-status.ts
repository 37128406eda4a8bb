import type { PyroError } from "./errors.ts"

/** The exit status of a process: the guest command's (`run`, `exec`), or only pyro's own. */
export type ExitFamily = "guest" | "own"

/** Status of a wrong command line, everywhere. */
const USAGE = 2
/** Status of a command that ran past its timeout, as with timeout(1). */
export const TIMED_OUT = 124
/** Status of `exec --wait-seconds` after its time-out: "try again later" in sysexits.h, which programs rarely use. */
export const STILL_RUNNING = 75
/** Status of a command that the guest's OOM killer ended: 128 + SIGKILL. */
export const OUT_OF_MEMORY = 137

/** The status if pyro itself failed. 125, as in env(1) and docker, differs from most statuses of guests. */
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
