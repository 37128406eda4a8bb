import { Effect, Option } from "effect"
import { withTimeout } from "../../../system/waits/effects.ts"
import type { GuestProcess } from "../../guest-channel/model/process.ts"

/**
 * Time for a program to end by the end of its input, in ms. A shell ends so, and what it started in the background goes on. SIGHUP would end that
 * too: a shell without job control has it in its own group. Other SSH servers send no SIGHUP to programs without a terminal, and editors count on it.
 */
const END_OF_INPUT_MS = 1_000

/** Time for a program whose client has gone, from SIGHUP to SIGKILL, in ms. */
const HANG_UP_MS = 2_000

const endsWithin = (process: GuestProcess, waitMs: number) => withTimeout(waitMs, Effect.exit(process.exit))

const unlessEnded = (next: Effect.Effect<unknown, unknown>) =>
  Option.match({ onNone: () => next, onSome: () => Effect.void })

/** Hangs up a terminal: its program and the jobs in the foreground get SIGHUP at once. The caller must read its output. */
export const hangUpTerminal = (process: GuestProcess): Effect.Effect<void> =>
  process.endStdin.pipe(
    Effect.andThen(process.signal("SIGHUP", "group")),
    Effect.andThen(endsWithin(process, HANG_UP_MS)),
    Effect.flatMap(unlessEnded(process.signal("SIGKILL"))),
    Effect.ignore
  )

/**
 * Ends a program whose client has gone: by the end of its input, then as a terminal does. What it left in the background goes on. The caller must
 * read its output.
 */
export const hangUp = (process: GuestProcess): Effect.Effect<void> =>
  process.endStdin.pipe(
    Effect.andThen(endsWithin(process, END_OF_INPUT_MS)),
    Effect.flatMap(unlessEnded(hangUpTerminal(process))),
    Effect.ignore
  )
