import { Context, Effect } from "effect"

/** Seconds without a keep-alive request of its program until a workspace of the SDK's handle is paused, if no time was given. */
export const HELD_SECONDS = 600

/**
 * Whether the request of this fiber comes from a handle that keeps its workspace alive. A creation then has `HELD_SECONDS` as its default, and
 * `status` counts as a use.
 */
export const isHeld: Context.Reference<boolean> = Context.Reference("pyro/contract/isHeld", {
  defaultValue: (): boolean => false
})

/** Header of a request to the daemon that says so. */
const HEADER = "pyro-held"

/** The header of this fiber's requests, if they are of such a handle. */
export const heldHeader: Effect.Effect<Readonly<Record<string, string>>> = Effect.map(
  isHeld,
  (held): Readonly<Record<string, string>> => held ? { [HEADER]: "1" } : {}
)

/** Handles a request as its header says. */
export const withHeld =
  (headers: Readonly<Record<string, string | undefined>>) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    headers[HEADER] === undefined ? work : Effect.provideService(work, isHeld, true)
