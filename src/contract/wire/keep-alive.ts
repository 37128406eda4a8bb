import { Context, Effect } from "effect"

/** Seconds without a keep-alive request of its program until a workspace of the SDK's handle is paused, if no time was given. */
export const KEEP_ALIVE_SECONDS = 600

/**
 * Whether the request of this fiber comes from a handle that keeps its workspace alive. A creation then has `KEEP_ALIVE_SECONDS` as its default, and
 * `status` counts as a use.
 */
export const isKeptAlive: Context.Reference<boolean> = Context.Reference("pyro/contract/isKeptAlive", {
  defaultValue: (): boolean => false
})

/** Header of a request to the daemon that says so. */
const HEADER = "pyro-keep-alive"

/** The header of this fiber's requests, if they are of such a handle. */
export const keepAliveHeader: Effect.Effect<Readonly<Record<string, string>>> = Effect.map(
  isKeptAlive,
  (isAlive): Readonly<Record<string, string>> => isAlive ? { [HEADER]: "1" } : {}
)

/** Handles a request as its header says. */
export const withKeepAlive =
  (headers: Readonly<Record<string, string | undefined>>) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    headers[HEADER] === undefined ? work : Effect.provideService(work, isKeptAlive, true)
