import { Effect } from "effect"

/** Goes on in the next iteration of Node's event loop: events that are ready come first, new input comes after. */
export const yieldToEventLoop: Effect.Effect<void> = Effect.callback((resume) =>
  void setImmediate(() => resume(Effect.void))
)
