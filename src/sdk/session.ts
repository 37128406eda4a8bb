import { fromDuplex } from "@effect/platform-node/NodeSocket"
import { Cause, Effect, Exit, Layer, Scope, Semaphore } from "effect"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import { RequestId } from "effect/rpc/RpcMessage"
import * as Socket from "effect/socket/Socket"
import { DaemonUnavailable, type PyroError } from "../contract/errors/errors.ts"
import type { DaemonLeaves } from "../contract/wire/daemon-leaves.ts"
import { makePyroRpcs } from "../contract/wire/rpc.ts"
import { serialization } from "../contract/wire/serialization.ts"
import { Paths } from "../system/files/Paths.ts"
import { withoutLateWrites } from "../system/processes/ended-socket.ts"
import { connectUnix } from "../system/processes/unix-socket.ts"
import { Awaited } from "./awaited.ts"
import { DirectRequests } from "./direct-requests.ts"
import { layerProtocol } from "./protocol.ts"
import { ensureDaemon, type StartDaemon } from "./start-daemon.ts"
import type { StartedExec } from "./started-exec.ts"

type NodeSocket = NonNullable<StartedExec["socket"]>

/** Opens a connection, which the Scope destroys. */
type OpenConnection = Effect.Effect<NodeSocket, Socket.SocketError, Scope.Scope>

export const socketTo = (path: string): OpenConnection =>
  Effect.mapError(
    connectUnix(path),
    (cause) => new Socket.SocketError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause }) })
  )

/** A connection that is made. */
const socketOf = (socket: NodeSocket): OpenConnection =>
  Effect.acquireRelease(Effect.succeed(socket), () => Effect.sync(() => void socket.destroy()))

/** In the caller's scope: the connection lives as long as that. */
export const connect = (open: OpenConnection, sent: ReadonlyArray<string> = []) =>
  Effect.gen(function*() {
    const awaited = new Awaited()
    const direct = new DirectRequests(awaited)
    // Another sender may have asked for events already: the RPC client takes these over.
    let connection: NodeSocket | undefined
    const opened = Effect.map(open, (socket) => {
      connection = socket
      awaited.connected(socket)
      if (sent.length === 0) direct.connected(socket)
      return socket
    })
    const socket = Layer.effect(
      Socket.Socket,
      Effect.map(fromDuplex(opened), (made) => withoutLateWrites(made, () => connection?.destroyed === true))
    )
    const protocol = yield* Layer.build(
      layerProtocol(direct, awaited, sent).pipe(Layer.provide([socket, serialization]))
    )
    let requests = 0
    const generateRequestId = () => RequestId(String(requests++))
    const client = yield* Effect.provide(
      RpcClient.make(makePyroRpcs(), { disableTracing: true, generateRequestId }),
      protocol
    )
    return Object.assign(client, { direct } as { readonly direct?: DirectRequests })
  })

export type Client = Effect.Success<ReturnType<typeof connect>>

/** A client's method: an Effect or a Stream, depending on the row. */
type Method = (payload: unknown, options?: { readonly headers?: Record<string, string> }) => unknown

export const methodOf = (client: Client, name: string): Method => (client as unknown as Record<string, Method>)[name]!

/** The daemon died, or left, before its answer. */
export class ConnectionLost {
  readonly _tag = "ConnectionLost"
  /** The daemon may have done the work. If not, the client can ask again. */
  readonly mayBeDone: boolean
  constructor(mayBeDone: boolean) {
    this.mayBeDone = mayBeDone
  }
}

/** Error of a request, if the cause is neither our own interruption nor a defect. */
export const failureOf = (cause: Cause.Cause<unknown>): Cause.Cause<PyroError | ConnectionLost> => {
  // A leaving daemon interrupts its work and says so.
  if (Cause.hasInterruptsOnly(cause)) return Cause.fail(new ConnectionLost(true))
  return Cause.map(cause, (failure) => {
    const why = failure as PyroError | RpcClientError | DaemonLeaves
    // Nothing was written to a socket that cannot be connected to, or whose connection had ended: its daemon left before.
    if (why._tag === "RpcClientError") return new ConnectionLost(why.reason._tag !== "SocketOpenError")
    return why._tag === "DaemonLeaves" ? new ConnectionLost(false) : why
  })
}

export const isLost = (failure: PyroError | ConnectionLost): failure is ConnectionLost =>
  failure._tag === "ConnectionLost"

export const lost = (detail: string) => new DaemonUnavailable({ detail: `the connection was lost ${detail}` })

/** A connection to the daemon that reconnects after a loss, and starts a new daemon if the old one is gone. */
export const makeSession = (start: StartDaemon, paths: Paths["Service"], started?: StartedExec) =>
  Effect.gen(function*() {
    let socket = started?.socket
    const connection = Effect.suspend(() => {
      if (socket === undefined) return Effect.flatMap(ensureDaemon(start), (path) => connect(socketTo(path)))
      const first = connect(socketOf(socket), started?.sent)
      socket = undefined
      return first
    })
    const parent = yield* Effect.scope
    const one = yield* Semaphore.make(1)
    const open = Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const scope = yield* Scope.fork(parent)
        const client = yield* restore(connection).pipe(
          Effect.provideService(Paths, paths),
          Scope.provide(scope),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        return { client, scope }
      })
    )
    let current = yield* open
    let broken = false
    const left = new WeakSet<Client>()
    // Interruptible during the wait for a daemon. After an interruption the connection stays broken.
    const renew = Effect.gen(function*() {
      yield* Scope.close(current.scope, Exit.void)
      current = yield* open
      broken = false
    })
    // A concurrent caller finds the connection made.
    const renewed = Effect.suspend(() => broken ? renew : Effect.void).pipe(
      one.withPermits(1),
      Effect.map(() => current.client)
    )
    return {
      /** The connection, made again after a loss. */
      client: Effect.suspend(() => broken ? renewed : Effect.succeed(current.client)),
      /**
       * Reports a failed request; later connections are unaffected. Returns the meaning of the failure. A daemon says that it
       * leaves only if it serves no client. So no unanswered request was started, also none lost with the connection.
       */
      failed: (client: Client, failure: ConnectionLost) =>
        Effect.sync(() => {
          if (client === current.client) broken = true
          if (!failure.mayBeDone) left.add(client)
          return left.has(client) ? new ConnectionLost(false) : failure
        })
    } as const
  })
export type Session = Effect.Success<ReturnType<typeof makeSession>>
