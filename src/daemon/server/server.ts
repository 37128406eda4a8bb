import { NetSocket } from "@effect/platform-node/NodeSocket"
import { Effect, Layer, Option } from "effect"
import * as RpcServer from "effect/rpc/RpcServer"
import type * as Socket from "effect/socket/Socket"
import { SocketServer } from "effect/socket/SocketServer"
import { layerPortable } from "../../contract/wire/portable.ts"
import { makePyroRpcs } from "../../contract/wire/rpcs.ts"
import { layerSerialization } from "../../contract/wire/serialization.ts"
import { atClose } from "../../system/waits/effects.ts"
import { layerDoor } from "./door.ts"
import { handlers, type Serving } from "./handlers.ts"

/** Without acknowledgements, which would let a slow reader stop all others: events have credits instead. */
const withoutAcks = Layer.effect(
  RpcServer.Protocol,
  Effect.map(RpcServer.Protocol, (library) => RpcServer.Protocol.of({ ...library, supportsAck: false }))
)

/** Messages below this size are gathered, in bytes. */
const SMALL_BYTES = 8_192

/** The small messages of one turn of the event loop are one write: each write wakes the client. */
const gathering = (connection: NetSocket["Service"], writer: Socket.Writer) => {
  let held: Array<Uint8Array> = []
  const flush = () => {
    const messages = held
    held = []
    if (messages.length > 0 && connection.writable) connection.write(Buffer.concat(messages))
  }
  const after = <A, E>(write: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      flush()
      return write
    })
  const write: Socket.Writer["write"] = (message) =>
    Effect.suspend(() => {
      if (!(message instanceof Uint8Array) || message.length >= SMALL_BYTES || connection.writableNeedDrain) {
        return after(writer.write(message))
      }
      if (held.push(message) === 1) process.nextTick(flush)
      return Effect.void
    })
  return {
    flush: Effect.sync(flush),
    writer: {
      write,
      writeAll: (messages: Parameters<Socket.Writer["writeAll"]>[0]) => after(writer.writeAll(messages))
    }
  }
}

const inOneWrite = (socket: Socket.Socket) =>
  Effect.map(Effect.serviceOption(NetSocket), (found): Socket.Socket => {
    const connection = Option.getOrUndefined(found)
    if (connection === undefined) return socket
    const writer = Effect.gen(function*() {
      const { flush, writer } = gathering(connection, yield* socket.writer)
      yield* atClose(flush)
      return writer
    })
    return { ...socket, writer }
  })

/**
 * Time without a byte after which a client of another machine counts as lost, in ms. Such clients ping, and nobody else reports that their line
 * is gone.
 */
const SILENCE_MS = 60_000

/** Ends a connection that is silent. Its requests are then kept as those of any lost client. */
const unlessSilent = (silenceMs: number | undefined) =>
  Effect.map(
    Effect.serviceOption(NetSocket),
    Option.map((connection) => {
      if (silenceMs !== undefined) connection.setTimeout(silenceMs, () => void connection.destroy())
    })
  )

const layerListening = ({ requests }: Serving, path: string, silenceMs?: number) =>
  Layer.effect(
    SocketServer,
    Effect.map(SocketServer, (server) =>
      SocketServer.of({
        ...server,
        run: (handler) =>
          server.run((socket) => Effect.andThen(unlessSilent(silenceMs), Effect.flatMap(inOneWrite(socket), handler)))
      }))
  ).pipe(Layer.provide(requests.listen(path)))

const layerRpcs = RpcServer.layer(makePyroRpcs(), { disableFatalDefects: true, disableTracing: true }).pipe(
  Layer.provide(withoutAcks)
)

/** Every operation, over any protocol of the library. */
export const layerServer = (serving: Serving) => Layer.provide(layerRpcs, handlers(serving))

/** A serialization of a server. Requests that cannot be read are logged. */
const logged = (form: typeof layerSerialization) =>
  Layer.unwrap(
    Effect.map(Effect.context<never>(), (context) => {
      const log = Effect.runForkWith(context)
      return form(({ message }) => void log(Effect.logError(`of a client: ${message}`)))
    })
  )

/** The form between programs of one build. */
export const layerLogged = logged(layerSerialization)

/** Sockets of a daemon. */
interface Sockets {
  /** For programs of this build. */
  readonly socket: string
  /** For programs of any build. */
  readonly portable: string
  /** For the doors of this machine, which say for whom each connection is. */
  readonly door: string
  /** @default 60,000 */
  readonly silenceMs?: number | undefined
}

/** The same over the daemon's sockets. */
export const layerSocketServer = (serving: Serving, { door, portable, silenceMs = SILENCE_MS, socket }: Sockets) => {
  const foreign: Serving = { ...serving, isForeign: true }
  const at = (own: Serving, path: string, form: typeof layerLogged, silenceMs?: number) =>
    Layer.fresh(layerRpcs).pipe(
      Layer.provide(Layer.fresh(RpcServer.layerProtocolSocketServer)),
      Layer.provide(layerListening(serving, path, silenceMs)),
      Layer.provide(form),
      Layer.provide(handlers(own))
    )
  const beside = Layer.mergeAll(
    at(foreign, portable, logged(layerPortable), silenceMs),
    at(foreign, door, logged(layerDoor), silenceMs)
  )
  // The last one: whoever starts a daemon waits for this socket, and may then use the others.
  return Layer.provide(at(serving, socket, layerLogged), beside)
}
