import { Effect, FiberSet, type Scope } from "effect"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import type { NetworkRequest } from "../../../guest-channel/network.ts"
import { atClose } from "../../../system/waits/scopes.ts"
import { clockReader } from "../../../system/waits/time.ts"
import type { Connecting } from "./connecting.ts"
import { connect, connectNow } from "./connection.ts"
import { lookUp, makeRecent } from "./lookup.ts"

/** A request that pyro cannot serve for a reason of its own. */
const giveUp = (request: NetworkRequest) =>
  request._tag === "Connect" ? request.refuse : request.answer({ _tag: "ServerFailure" })

/**
 * Answers the requests of a guest until its channel ends. Every request has a fiber of its own, a connection from when it waits for more than
 * the host's `connect()`; the channel bounds their number, and the pace their rate. The end of the Scope resets all connections.
 */
export const serveRequests = (
  { forEachNetworkRequest }: Pick<GuestChannel, "forEachNetworkRequest">,
  connecting: Connecting
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const isRecent = makeRecent()
    const { pace } = connecting
    const { monotonicMs, nowMs } = yield* clockReader
    const fork = yield* FiberSet.makeRuntime<never>()
    // A fiber starts at once: the host connects before the work for earlier connections, whose frames came along, goes on.
    const runFor = (request: NetworkRequest) => (work: Effect.Effect<void>) => {
      fork(Effect.catchDefect(work, (defect) => Effect.andThen(Effect.logError(defect), giveUp(request))))
    }
    const unmade = new Set<Effect.Effect<void>>()
    yield* atClose(Effect.suspend(() => Effect.forEach([...unmade], (giveUp) => giveUp, { discard: true })))
    const serve = (request: NetworkRequest) => {
      const run = runFor(request)
      if (request._tag === "Resolve") return run(lookUp(request, connecting, isRecent))
      try {
        if (!connectNow(request, connecting, { nowMs, run, unmade })) run(connect(request, connecting))
      } catch (defect) {
        // A defect is this request's, and not the channel's.
        run(Effect.die(defect))
      }
    }
    yield* forEachNetworkRequest((request) => {
      // The requests behind this one wait as well: the channel bounds their number.
      if (!pace.isNow(monotonicMs())) return Effect.map(pace.wait, () => serve(request))
      serve(request)
      return undefined
    }).pipe(Effect.forkScoped)
  })
