import { Effect, type Scope } from "effect"
import type { Socket } from "node:net"
import { processEnvironment } from "../../../../system/settings/config.ts"
import { type Proxies, proxiesOf } from "../../../../system/settings/proxies.ts"
import { atClose } from "../../../../system/waits/effects.ts"
import { startTimer, waitFor } from "../../../../system/waits/signal.ts"
import { nowMs } from "../../../../system/waits/time.ts"
import { connectJudged, type JudgedTarget } from "../../both/dial/connect-judged.ts"
import { DIAL_MS } from "../../both/dial/protocol.ts"
import { Refusal, refusalOf } from "../../both/dial/refusal.ts"
import type { Slots } from "../../both/dial/slots.ts"
import { release } from "../../model/reset.ts"
import type { Failure } from "./dial-process.ts"

/** The person's proxies. */
export const proxiesNow = (): Proxies => proxiesOf(processEnvironment())

/** No connection of this host goes through a proxy. */
export const isWithoutProxy = ({ all = "", http = "", https = "" }: Proxies): boolean => `${all}${http}${https}` === ""

/** How this process has connected to a host. */
export interface DirectlyConnected {
  readonly socket: Socket
  readonly address: string
  readonly viaProxy: false
}

/**
 * Connects from this process within `ms`, and tells how that ended, once. It needs neither the two messages nor the handle that the dial
 * process would pass: `connect()` blocks no thread, and receiving a handle costs as much as a new socket. After a call of the returned function,
 * the attempts are over and `settle` is not called.
 */
export const startDirectly = (
  slots: Slots,
  addresses: ReadonlyArray<string>,
  target: JudgedTarget,
  ms: number,
  settle: (outcome: DirectlyConnected | Failure) => void
): () => void => {
  let isOver = false
  let stop = () => {}
  const end = () => {
    isOver = true
    timer.cancel()
  }
  const fail = (error: unknown) => {
    if (isOver) return
    const { failure, message, remedy } = refusalOf(error)
    end()
    settle({ failure, detail: message, remedy })
  }
  const timer = startTimer(ms, () => {
    stop()
    fail(new Refusal("timeout", `timed out: no connection within ${DIAL_MS / 1000} s`))
  })
  try {
    stop = connectJudged(slots, addresses, target, (outcome) => {
      if (outcome instanceof Refusal) return fail(outcome)
      end()
      settle({ ...outcome, viaProxy: false })
    })
  } catch (error) {
    fail(error)
  }
  return () => {
    if (isOver) return
    end()
    stop()
  }
}

/** The same in a fiber, with the time for `addresses`. The end of the Scope releases the socket. */
export const connectDirectly = (
  slots: Slots,
  addresses: Effect.Effect<ReadonlyArray<string>, Failure>,
  target: JudgedTarget
): Effect.Effect<DirectlyConnected, Failure, Scope.Scope> =>
  Effect.gen(function*() {
    // The socket has an owner from its first moment, also when the fiber is interrupted in that moment.
    let held: Socket | undefined
    yield* atClose(Effect.sync(() => held !== undefined && release(held)))
    const startMs = yield* nowMs
    const found = yield* addresses
    const leftMs = startMs + DIAL_MS - (yield* nowMs)
    return yield* waitFor<DirectlyConnected, Failure>((resume) =>
      Effect.sync(startDirectly(slots, found, target, leftMs, (outcome) => {
        if ("failure" in outcome) return resume(Effect.fail(outcome))
        held = outcome.socket
        resume(Effect.succeed(outcome))
      }))
    )
  })
