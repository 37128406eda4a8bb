import { Effect, type Scope, Stream } from "effect"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { NetworkRequest } from "../../guest-channel/network.ts"
import { connect, type Connecting } from "./connection.ts"
import { lookUp, makeRecent } from "./lookup.ts"

/** A request that pyro cannot serve for a reason of its own. */
const giveUp = (request: NetworkRequest) =>
  request._tag === "Connect" ? request.refuse : request.answer({ _tag: "ServerFailure" })

/**
 * Answers the requests of a guest until its channel ends. Every request has a fiber of its own; the channel bounds their number, and the pace
 * their rate. The end of the Scope resets all connections.
 */
export const serveRequests = (
  { networkRequests }: Pick<GuestChannel, "networkRequests">,
  connecting: Connecting
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => {
    const isRecent = makeRecent()
    return Stream.runForEach(networkRequests, (request) =>
      // The requests behind this one wait as well: the channel bounds their number.
      Effect.zipRight(
        connecting.pace,
        (request._tag === "Connect" ? connect(request, connecting) : lookUp(request, connecting, isRecent)).pipe(
          Effect.catchAllDefect((defect) => Effect.zipRight(Effect.logError(defect), giveUp(request))),
          Effect.forkIn(scope)
        )
      ))
  }).pipe(
    // A fiber inherits the caller's mask, and the scope would wait for the fiber for ever.
    Effect.interruptible,
    Effect.forkScoped,
    Effect.asVoid
  )
