import { Effect } from "effect"

/** Goes on in the next turn of Node's event loop: what is ready now is done first, what comes in is read after. */
export const nextTurn: Effect.Effect<void> = Effect.async((resume) => void setImmediate(() => resume(Effect.void)))
