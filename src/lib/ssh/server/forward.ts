import { Effect, type Scope } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { AgentCallFailed } from "../../guest-channel/model/errors.ts"
import type { GuestSocket } from "../../guest-channel/model/network.ts"
import { makePipe, type SshChannel } from "./channel.ts"

/** A port, or a Unix socket, that a client wants to reach through the connection. */
export type Destination = { readonly host: string; readonly port: number } | { readonly path: string }

/** The connection of a guest, as far as a forwarded one needs it. */
export type ForwardSocket = Omit<GuestSocket, "received">

/** Connects to a destination from within the guest, as this user. */
export type Connect = (
  to: Destination,
  user: string
) => Effect.Effect<ForwardSocket, AgentCallFailed | PyroError, Scope.Scope>

/** Connects a channel with a destination of the guest, until both sides have ended, or one was reset. */
export const forward = (
  connected: ReturnType<Connect>,
  { accept, reject }: { readonly accept: () => SshChannel; readonly reject: () => void }
): Effect.Effect<void> =>
  Effect.scoped(Effect.gen(function*() {
    const guest = yield* Effect.tapError(connected, () => Effect.sync(reject))
    const channel = accept()
    const pipe = makePipe(channel)
    const toGuest = Effect.andThen(pipe.forEach(guest.write), guest.end)
    const toClient = Effect.andThen(guest.forEachReceived(pipe.write), pipe.eof)
    const both = Effect.andThen(Effect.all([toGuest, toClient], { concurrency: 2, discard: true }), guest.closed)
    yield* Effect.raceFirst(Effect.exit(both), pipe.whenClosed).pipe(Effect.ensuring(pipe.close))
  })).pipe(Effect.ignore)
