import { Effect, type Scope } from "effect"
import type { Socket } from "node:net"
import { atClose } from "../../system/scopes.ts"
import { nowMs } from "../../system/time.ts"
import { startTimer } from "../../system/timer.ts"
import { release, reset } from "../reset.ts"
import { connectJudged, type JudgedTarget } from "./connect-judged.ts"
import type { Failure } from "./dial-run.ts"
import { DIAL_MS } from "./protocol.ts"
import { Refusal, refusalOf } from "./refusal.ts"

/** How this process has connected to a host. */
export interface DirectlyConnected {
  readonly socket: Socket
  readonly address: string
  readonly viaProxy: false
}

/**
 * Connects from this process, without the two messages and the handle that the dial process would pass: `connect()` blocks no thread, and
 * an arriving handle costs as much as a new socket. The end of the Scope releases the socket.
 */
export const connectDirectly = (
  addresses: Effect.Effect<ReadonlyArray<string>, Failure>,
  target: JudgedTarget
): Effect.Effect<DirectlyConnected, Failure, Scope.Scope> =>
  Effect.gen(function*() {
    // The socket has an owner from its first moment, also when the fiber is interrupted in that moment.
    const held = { socket: undefined as Socket | undefined, isOver: false }
    yield* atClose(Effect.sync(() => {
      held.isOver = true
      if (held.socket !== undefined) release(held.socket)
    }))
    const startMs = yield* nowMs
    const found = yield* addresses
    const leftMs = startMs + DIAL_MS - (yield* nowMs)
    return yield* Effect.async<DirectlyConnected, Failure>((resume) => {
      const controller = new AbortController()
      const timer = startTimer(
        leftMs,
        () => controller.abort(new Refusal("timeout", `timed out: no connection within ${DIAL_MS / 1000} s`))
      )
      connectJudged(found, target, controller.signal).then(
        ({ address, socket }) => {
          if (held.isOver) return reset(socket)
          held.socket = socket
          resume(Effect.succeed({ socket, address, viaProxy: false }))
        },
        (error: unknown) => {
          const { failure, message, option } = refusalOf(error)
          resume(Effect.fail({ failure, detail: message, option }))
        }
      ).finally(timer.cancel)
      return Effect.sync(() => controller.abort(new Refusal("failed", "the request was cancelled")))
    })
  })
