import { Effect, type Scope } from "effect"
import type { Socket } from "node:net"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { AgentCallFailed } from "../../../guest-channel/errors.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import type { GuestSocket } from "../../../guest-channel/network.ts"
import { reset } from "../../../network/reset.ts"
import { splice } from "../../../network/splice.ts"

type Family = 4 | 6
type Channel = Pick<GuestChannel, "connectPort">

/** Bytes that wait in the daemon for the receivers of one connection. */
export interface Room {
  /** From the client. */
  readonly bufferBytes: number
  /** From the guest. */
  readonly windowBytes: number
}

/** Time for the guest to accept. A server whose backlog is full answers nothing. */
const CONNECT_TIMEOUT = "30 seconds"

/** Connects to a port of the guest's loopback: servers listen on 127.0.0.1, on ::1, or on both. Begins with the family that answered last. */
export class LoopbackPort {
  readonly port: number
  #family: Family = 4

  constructor(port: number) {
    this.port = port
  }

  connect(
    channel: Channel,
    windowBytes: number
  ): Effect.Effect<GuestSocket, AgentCallFailed | ChannelFailed, Scope.Scope> {
    const first = this.#family
    const other = first === 4 ? 6 : 4
    const { port } = this
    return channel.connectPort({ port, family: first, windowBytes }).pipe(
      Effect.catch((refused) =>
        refused._tag === "AgentCallFailed" && refused.errno === "ECONNREFUSED"
          ? channel.connectPort({ port, family: other, windowBytes }).pipe(
            Effect.tap(() => Effect.sync(() => (this.#family = other))),
            // A guest without IPv6 says so: the refusal tells more.
            Effect.mapError((failure) => failure._tag === "AgentCallFailed" ? refused : failure)
          )
          : Effect.fail(refused)
      )
    )
  }
}

/**
 * Serves one client of a published port until both sides have ended or one was reset. Without a guest, or with a refusal by the guest, the
 * client is reset. An interruption resets both sides.
 */
export const serveClient = (
  client: Socket,
  target: LoopbackPort,
  channel: () => Channel | undefined,
  { bufferBytes, windowBytes }: Room
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const found = channel()
    if (found === undefined) return
    const guest = yield* Effect.timeoutOption(target.connect(found, windowBytes), CONNECT_TIMEOUT)
    if (guest._tag === "None") return
    yield* splice({ guest: guest.value, socket: client, bufferBytes })
  }).pipe(
    Effect.scoped,
    Effect.ignore,
    Effect.ensuring(Effect.sync(() => {
      // A client whose connection has ended both ways is destroyed already.
      if (!client.readableEnded || !client.writableFinished) reset(client)
    }))
  )
