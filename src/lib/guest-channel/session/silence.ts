import { Effect } from "effect"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"
import type { Connection } from "./connection.ts"

/** Maximum time without a byte from the agent while a request waits for it, in `ms`. */
export const DEFAULT_SILENCE_MS = 20_000

/** The same if the reason is known, such as a stopped QEMU. */
const KNOWN_MS = 5_000

/** The same for a caller that ends the guest in any case (`GuestChannel.unlessSilent`), in `ms`. */
export const ENDING_SILENCE_MS = 5_000

/** The same for later requests to an agent that was found silent, until it sends a byte. */
const AGAIN_MS = 2_000

/** How often the watch looks, in `ms`. Also the time without a byte after which it probes the agent. */
const TICK_MS = 1_000

export interface SilenceOptions {
  readonly limitMs: number
  /**
   * Why the agent sends nothing, or an empty text without a known reason. `undefined`: the guest is stopped for a reason that another part
   * reports, and its requests continue to wait.
   */
  readonly explain: Effect.Effect<string | undefined>
}

/**
 * Fails the requests of an agent that answers nothing, not even probes: a debugger stopped the agent, its control group is frozen, its port is
 * removed, or its QEMU is stopped. The connection stays: running commands are not requests, and a resumed agent continues. A tick counts once,
 * also if it takes longer: the sleep of a host or the work of a busy daemon is no silence.
 */
export const watchSilence = (connection: Connection, { explain, limitMs }: SilenceOptions): Effect.Effect<never> => {
  const tickMs = Math.min(TICK_MS, limitMs / 4)
  const watch = Effect.gen(function*() {
    let silentMs = 0
    let received = connection.receivedBytes
    while (connection.isAwaited) {
      yield* Effect.sleep(tickMs)
      // Frames that arrived while this process was stopped are read first.
      yield* yieldToEventLoop
      if (connection.receivedBytes !== received || connection.isQuiet) {
        received = connection.receivedBytes
        silentMs = 0
        continue
      }
      silentMs += tickMs
      connection.probe()
      const mostMs = Math.min(limitMs, connection.endingMs)
      if (silentMs < Math.min(connection.silentMs > 0 ? AGAIN_MS : KNOWN_MS, mostMs)) continue
      const why = yield* explain
      if (why === undefined) silentMs = 0
      else if (why !== "" || connection.silentMs > 0 || silentMs >= mostMs) connection.silence(silentMs, why)
    }
  })
  return Effect.forever(Effect.andThen(connection.untilAwaited, watch))
}
