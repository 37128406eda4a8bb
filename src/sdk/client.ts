import { fromDuplex } from "@effect/platform-node/NodeSocket"
import * as Socket from "@effect/platform/Socket"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { Effect, Layer, Stream } from "effect"
import { DaemonUnavailable, type PyroError } from "../contract/errors.ts"
import { INPUT_BYTES, INPUT_HEADER, InputRpcs } from "../contract/input-rpcs.ts"
import { type Operation, operations } from "../contract/operations.ts"
import { Pyro, type PyroService, type RunInput } from "../contract/Pyro.ts"
import { makePyroRpcs } from "../contract/rpc.ts"
import { newRequestId } from "../system/identity.ts"
import { Paths } from "../system/Paths.ts"
import { connectUnix } from "../system/unix-socket.ts"
import { daemonRuns as runs, ensureDaemon, type StartDaemon } from "./start-daemon.ts"

const socketTo = (path: string) =>
  Layer.effect(
    Socket.Socket,
    fromDuplex(
      Effect.mapError(connectUnix(path), (cause) => new Socket.SocketGenericError({ reason: "Open", cause }))
    )
  )

const connect = (path: string) =>
  Effect.gen(function*() {
    // In the caller's scope: the connection lives as long as the client.
    const protocol = yield* Layer.build(
      RpcClient.layerProtocolSocket().pipe(Layer.provide([socketTo(path), RpcSerialization.layerMsgPack]))
    )
    return yield* Effect.provide(RpcClient.make(makePyroRpcs().merge(InputRpcs)), protocol)
  })

/** A client's method: an Effect or a Stream, whatever the row says. */
type Method = (payload: unknown, options?: { readonly headers?: Record<string, string> }) => unknown
type Client = Effect.Effect.Success<ReturnType<typeof connect>>

/** The client nests by the first dot of a name. */
const methodOf = (client: unknown, name: string): Method => {
  const methods = client as Record<string, unknown>
  const dot = name.indexOf(".")
  return (dot < 0
    ? methods[name]
    : (methods[name.slice(0, dot)] as Record<string, unknown>)[name.slice(dot + 1)]) as Method
}

/** A request that the daemon did not answer, because it went away. What it was about may have been done. */
const explain = (failure: unknown): PyroError =>
  (failure as { readonly _tag?: string })._tag === "RpcClientError"
    ? new DaemonUnavailable({ detail: "the connection was lost before it answered" })
    : failure as PyroError

/** Passes a command's input on until it ends, one request at a time: the answer says that there is room for more. */
const send = (client: Client, id: string, input: RunInput) =>
  Effect.gen(function*() {
    const { input: to } = client
    const pieces = (bytes: Uint8Array) =>
      Array.from({ length: Math.ceil(bytes.length / INPUT_BYTES) }, (_, at) =>
        bytes.subarray(at * INPUT_BYTES, (at + 1) * INPUT_BYTES))
    const stdin = (input.stdin ?? Stream.empty).pipe(
      Stream.runForEach((bytes) =>
        Effect.forEach(pieces(bytes), (piece) =>
          to.write({ id, bytes: piece }), { discard: true })
      ),
      Effect.zipRight(to.end({ id }))
    )
    const resizes = Stream.runForEach(input.resizes ?? Stream.empty, (size) => to.resize({ id, ...size }))
    yield* Effect.all([stdin, resizes], { concurrency: 2, discard: true })
  }).pipe(Effect.ignore)

const callOf = (client: Client, row: Operation) => {
  const method = methodOf(client, row.name)
  if (row.kind === "unary") {
    return (payload: unknown) => Effect.mapError(method(payload) as Effect.Effect<unknown, unknown>, explain)
  }
  return (payload: unknown, input?: RunInput) => {
    const events = (headers: Record<string, string>) =>
      Stream.mapError(method(payload, { headers }) as Stream.Stream<unknown, unknown>, explain)
    if (input === undefined) return events({})
    return Stream.unwrapScoped(Effect.gen(function*() {
      const id = newRequestId()
      yield* Effect.forkScoped(send(client, id, input))
      return events({ [INPUT_HEADER]: id })
    }))
  }
}

/** `env.list` becomes `{ env: { list } }`. */
const nest = (calls: ReadonlyArray<readonly [string, unknown]>): PyroService => {
  const root: Record<string, unknown> = {}
  for (const [name, call] of calls) {
    const words = name.split(".")
    let at = root
    for (const word of words.slice(0, -1)) at = (at[word] ??= {}) as Record<string, unknown>
    at[words.at(-1)!] = call
  }
  return root as unknown as PyroService
}

/** Pyro behind the daemon of this installation, which is started when there is none. */
export const layerDaemon = (start: StartDaemon): Layer.Layer<Pyro, PyroError> =>
  Layer.scoped(
    Pyro,
    Effect.gen(function*() {
      const client = yield* connect(yield* ensureDaemon(start))
      return nest(operations.map((row) => [row.name, callOf(client, row)] as const))
    })
  ).pipe(Layer.provide(Paths.layer))

/** Whether a daemon of this version runs already, so that asking it starts none. */
export const daemonRuns = (version: string) => Effect.provide(runs(version), Paths.layer)
