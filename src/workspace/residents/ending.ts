import { Effect } from "effect"
import { DEFAULT_GRACE_SECONDS } from "../../contract/rows/command.ts"
import type { GuestProcess, ProcessExit } from "../../guest-channel/process.ts"
import { within } from "../../system/waits/within.ts"
import type { CommandRole } from "./exec/journal.ts"

/** Reason for ending a command early. */
export type EndedBy = "cancel" | "timeout"

/** How a command is ended. */
export interface EndingOptions {
  /** From the signal to the kill; 0 kills at once. */
  readonly graceMs: number
  /** Its terminal hangs up: an interactive shell ignores the other two signals. */
  readonly tty: boolean
  /** Servers take SIGTERM as the request to end. What a service leaves ends with it. */
  readonly isService: boolean
}

const signalOf = (by: EndedBy, { isService, tty }: EndingOptions) =>
  tty ? "SIGHUP" : by === "cancel" && !isService ? "SIGINT" : "SIGTERM"

export const endingOptions = (
  { graceMs = DEFAULT_GRACE_SECONDS * 1000, role, tty }: {
    readonly graceMs?: number | undefined
    readonly tty?: boolean | undefined
    readonly role?: CommandRole | undefined
  }
): EndingOptions => ({ graceMs, tty: tty === true, isService: role?._tag === "service" })

/**
 * Ends a process. Its group gets a signal first, so that its handlers run. After its grace or its end, all its processes get
 * SIGKILL. A failure of the channel is ignored, because the process's own end reports it.
 */
export const endProcess = (process: GuestProcess, by: EndedBy, ending: EndingOptions): Effect.Effect<void> =>
  (ending.graceMs <= 0 ? Effect.void : process.signal(signalOf(by, ending), "group").pipe(
    Effect.andThen(within(ending.graceMs, Effect.exit(process.exit))),
    Effect.ignore
  )).pipe(Effect.andThen(Effect.ignore(process.kill)))

/**
 * Whether a process ended because of its timeout: as with timeout(1), whatever its handler's status is. A process that got no
 * signal and ended by itself in the last moment did not.
 */
export const ranOut = (exit: ProcessExit | undefined, { graceMs }: EndingOptions): boolean =>
  graceMs > 0 || exit?._tag !== "exited"
