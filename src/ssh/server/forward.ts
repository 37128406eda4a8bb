import { Effect, type Scope } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { AgentCallFailed } from "../../guest-channel/errors.ts"
import type { GuestSocket } from "../../guest-channel/network.ts"
import { makePipe, type SshChannel } from "./channel.ts"

/** A port that a client wants to reach through the connection. */
export interface Destination {
  readonly host: string
  readonly port: number
}

/** Connects to a destination from within the guest. */
export type Connect = (to: Destination) => Effect.Effect<GuestSocket, AgentCallFailed | PyroError, Scope.Scope>

/** Connects a channel with a port of the guest, until both sides have ended, or one was reset. */
export const forward = (
  to: Destination,
  connect: Connect,
  { accept, reject }: { readonly accept: () => SshChannel; readonly reject: () => void }
): Effect.Effect<void> =>
  Effect.scoped(Effect.gen(function*() {
    const guest = yield* Effect.tapError(connect(to), () => Effect.sync(reject))
    const channel = accept()
    const pipe = makePipe(channel)
    const toGuest = Effect.andThen(pipe.forEach(guest.write), guest.end)
    const toClient = Effect.andThen(guest.forEachReceived(pipe.write), pipe.eof)
    const both = Effect.andThen(Effect.all([toGuest, toClient], { concurrency: 2, discard: true }), guest.closed)
    yield* Effect.raceFirst(Effect.exit(both), pipe.whenClosed).pipe(Effect.ensuring(pipe.close))
  })).pipe(Effect.ignore)
