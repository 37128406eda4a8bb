import { Cause, Deferred, Effect, type Scope, Stream } from "effect"
import type { ChannelFailed } from "../../../src/contract/errors/errors.ts"
import type { GuestChannel } from "../../../src/lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../src/lib/guest-channel/model/errors.ts"
import type { ConnectRequest, GuestSocket, NetworkRequest } from "../../../src/lib/guest-channel/model/network.ts"

const next = (channel: GuestChannel): Effect.Effect<NetworkRequest, Cause.Done> =>
  Effect.suspend(() => {
    const found = Deferred.makeUnsafe<NetworkRequest>()
    const taking = channel.forEachNetworkRequest((request) =>
      Effect.andThen(Deferred.succeed(found, request), Effect.never)
    )
    return Effect.raceFirst(Deferred.await(found), Effect.andThen(taking, Cause.done()))
  })

/** Requests of the guest for the network, each taken when it is asked for. Ends with the channel. */
export const networkRequests = (channel: GuestChannel): Stream.Stream<NetworkRequest> =>
  Stream.fromEffectRepeat(next(channel))

/** Accepts a request. The end of the Scope resets a connection that is still open. */
export const accept = (
  request: Pick<ConnectRequest, "acceptNow">
): Effect.Effect<GuestSocket, AgentCallFailed | ChannelFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => Effect.fromResult(request.acceptNow())),
    ({ release }) => Effect.sync(release)
  ).pipe(Effect.flatMap(({ socket }) => socket))
