import { Effect } from "effect"
import { DEFAULT_GRACE_SECONDS } from "../contract/operations/command.ts"
import type { GuestProcess, ProcessExit } from "../guest-channel/process.ts"
import { within } from "../system/within.ts"

/** Why a command is ended before it ends itself. */
export type EndedBy = "cancel" | "timeout"

/** How a command is ended. */
export interface EndingOptions {
  /** From the signal to the kill; 0 kills at once. */
  readonly graceMs: number
  /** Its terminal is hung up: an interactive shell heeds neither of the other signals. */
  readonly tty: boolean
}

const signalOf = (by: EndedBy, { tty }: EndingOptions) => tty ? "SIGHUP" : by === "cancel" ? "SIGINT" : "SIGTERM"

export const endingOptions = (
  { graceMs = DEFAULT_GRACE_SECONDS * 1000, tty }: {
    readonly graceMs?: number | undefined
    readonly tty?: boolean | undefined
  }
): EndingOptions => ({ graceMs, tty: tty === true })

/**
 * Ends a process: a signal to its group first, so that its handlers run, and when its grace is over, or it has ended, SIGKILL to all that
 * it started. A channel that fails is nothing to it: the process's own end tells.
 */
export const endProcess = (process: GuestProcess, by: EndedBy, ending: EndingOptions): Effect.Effect<void> =>
  (ending.graceMs <= 0 ? Effect.void : process.signal(signalOf(by, ending), "group").pipe(
    Effect.zipRight(within(ending.graceMs, Effect.exit(process.exit))),
    Effect.ignore
  )).pipe(Effect.zipRight(Effect.ignore(process.kill)))

/**
 * Whether a process whose time was over ended because of that: as with timeout(1), whatever its handler left with. One that nothing had
 * told to end, and that ended by itself in the last moment, did not.
 */
export const ranOut = (exit: ProcessExit | undefined, { graceMs }: EndingOptions): boolean =>
  graceMs > 0 || exit?._tag !== "exited"
