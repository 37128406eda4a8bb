import { Effect, Option } from "effect"
import type { GuestProcess } from "../guest-channel/process.ts"
import { withTimeout } from "../system/waits/effects.ts"

/** Time for a program whose client has gone, from SIGHUP to SIGKILL, in ms. */
const HANG_UP_MS = 2_000

/** Ends a program whose client has gone, as a terminal that hangs up does. What it left in the background goes on. Somebody reads its output. */
export const hangUp = (process: GuestProcess): Effect.Effect<void> =>
  process.endStdin.pipe(
    Effect.andThen(process.signal("SIGHUP", "group")),
    Effect.andThen(withTimeout(HANG_UP_MS, Effect.exit(process.exit))),
    Effect.flatMap(Option.match({ onNone: () => process.signal("SIGKILL"), onSome: () => Effect.void })),
    Effect.ignore
  )
