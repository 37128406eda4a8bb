import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Schema, type Scope, Stream } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import type { FromClientEncoded } from "effect/rpc/RpcMessage"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { InvalidRequest, MessageUnreadable } from "../../../src/contract/errors/errors.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { type ExecEvent, ExecPayload, workspaceExec } from "../../../src/contract/rows/workspace-exec.ts"
import { INPUT_HEADER, makePyroRpcs, WINDOW_EVENTS } from "../../../src/contract/wire/rpcs.ts"
import { layerSerialization, MESSAGE_BYTES } from "../../../src/contract/wire/serialization.ts"
import { connect, socketTo } from "../../../src/sdk/connection/connection.ts"
import { ConnectionLost, type RequestFailure } from "../../../src/sdk/connection/failures.ts"
import type { Connection } from "../../../src/sdk/connection/over.ts"
import { newRequestId } from "../../../src/system/processes/identity.ts"
import { servePyro, socketFolder } from "../../support/daemon/served-pyro.ts"
import { eventsOf } from "../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"

const { codecFor, makeUnsafe } = Effect.runSync(
  Effect.provide(RpcSerialization.RpcSerialization, layerSerialization())
)

const execId = "0123456789abcdef".repeat(2)
const started: ExecEvent = { _tag: "Started", execId }
const exited: ExecEvent = { _tag: "Exited", outcome: "exited", status: 0, durationMs: 1 }
const payload = Schema.decodeSync(ExecPayload())({ workspace: "w", command: ["true"] })

/** A daemon with two operations: a list, and a command that `exec` runs. */
const pyroWith = (exec: PyroService["workspace"]["exec"], list = Effect.succeed({ workspaces: [] })): PyroService => ({
  ...unfakedPyro,
  workspace: { ...unfakedPyro.workspace, exec, list: () => list }
})
const short = pyroWith(() => Stream.make(started, exited))
const endless = pyroWith(() => Stream.concat(Stream.make(started), Stream.never))

const executed = (client: Connection) =>
  eventsOf(client, workspaceExec, payload) as Stream.Stream<ExecEvent, RequestFailure>
const listed = (client: Connection) => client.ask("workspace.list", { labels: {} })

/** A socket by hand, until the Scope closes. */
const rawTo = (file: string): Effect.Effect<net.Socket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<net.Socket>((resume) => {
      const socket = net.connect(file, () => resume(Effect.succeed(socket)))
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => void socket.destroy())
  )

const frame = (message: unknown) => makeUnsafe().encode(message) as Uint8Array

/** A request by hand. */
const requestOf = (tag: string, value: unknown, more: Partial<FromClientEncoded> = {}) => {
  const { payloadSchema } = makePyroRpcs().requests.get(tag as never) as unknown as {
    readonly payloadSchema: Schema.Top
  }
  const encode = Schema.encodeUnknownSync(codecFor(payloadSchema) as Schema.Codec<unknown>)
  return frame({ _tag: "Request", id: "1", tag, payload: encode(value), headers: [], ...more })
}

interface Answer {
  readonly _tag: string
  readonly exit?: unknown
}

/** Waits for an answer to raw requests. */
const answerOf = (socket: net.Socket, isIt: (answer: Answer) => boolean) => {
  const parser = makeUnsafe()
  return Effect.callback<Answer>((resume) => {
    socket.on("data", (bytes: Buffer) => {
      const found = (parser.decode(bytes) as ReadonlyArray<Answer>).find(isIt)
      if (found !== undefined) resume(Effect.succeed(found))
    })
  })
}

/** A daemon by hand, which answers the first bytes of each connection, and the clients' bytes. */
const answering = (answer: (socket: net.Socket, bytes: Buffer) => void) =>
  Effect.gen(function*() {
    const file = path.join(yield* socketFolder, "socket")
    const server = net.createServer((socket) => {
      socket.on("error", () => {})
      socket.once("data", (bytes) => answer(socket, bytes))
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(file, () => resume(Effect.void))),
      () => Effect.sync(() => void server.close())
    )
    return yield* connect(socketTo(file))
  })

/** Both kinds of calls of a connection, and how they fail. */
const failuresOf = (client: Connection) =>
  Effect.all([Effect.flip(listed(client)), Effect.flip(Stream.runDrain(executed(client)))], { concurrency: 2 })

const isUnreadable = (failures: ReadonlyArray<unknown>, detail: RegExp) => {
  assert.deepStrictEqual(failures.map((one) => (one as MessageUnreadable).operation), [
    "workspace.list",
    "workspace.exec"
  ])
  for (const failure of failures) {
    assert.instanceOf(failure, MessageUnreadable)
    assert.match((failure as MessageUnreadable).detail, detail)
  }
}

describe("messages of the daemon that a client cannot read", () => {
  it.live("garbage fails every call with an error that names its operation, and ends the connection", () =>
    Effect.gen(function*() {
      const closed = yield* Deferred.make<void>()
      const client = yield* answering((socket) => {
        socket.on("close", () => Effect.runFork(Deferred.succeed(closed, undefined))).resume()
        socket.write(Buffer.from([2, 0xc1, 0xc1]))
      })
      isUnreadable(yield* failuresOf(client), /version 2 envelope/)
      yield* Deferred.await(closed)
      // The daemon has not got what is asked later.
      assert.deepStrictEqual(yield* Effect.flip(listed(client)), new ConnectionLost({ mayBeDone: false }))
    }))

  it.live("a frame too large is refused by its size", () =>
    Effect.gen(function*() {
      const client = yield* answering((socket) => {
        const size = MESSAGE_BYTES + 1
        socket.write(
          Buffer.from([(size & 0x7f) | 0x80, ((size >> 7) & 0x7f) | 0x80, ((size >> 14) & 0x7f) | 0x80, size >> 21])
        )
      })
      isUnreadable(yield* failuresOf(client), /frame within maxFrameSize/)
    }))

  it.live("an answer of another build fails its call alone", () =>
    Effect.gen(function*() {
      const Other = RpcGroup.make(Rpc.make("workspace.list", { success: Schema.Struct({ other: Schema.String }) }))
      const exit = codecFor(Rpc.exitSchema(Other.requests.get("workspace.list")!))
      const { socket } = yield* servePyro(short)
      const client = yield* answering((client, bytes) => {
        const [request] = makeUnsafe().decode(bytes) as ReadonlyArray<{ readonly id: number }>
        const encoded = Schema.encodeUnknownSync(exit as Schema.Codec<unknown>)(Exit.succeed({ other: "x" }))
        client.write(frame({ _tag: "Exit", requestId: request!.id, exit: encoded }))
        // The rest of the connection is a daemon's.
        const daemon = net.connect(socket)
        client.pipe(daemon).pipe(client)
      })
      const failure = yield* Effect.flip(listed(client))
      assert.instanceOf(failure, MessageUnreadable)
      assert.strictEqual((failure as MessageUnreadable).operation, "workspace.list")
      assert.deepStrictEqual(yield* Stream.runCollect(executed(client)), [started, exited])
      assert.deepStrictEqual(yield* listed(client), { workspaces: [] })
    }))
})

describe("messages of a client that the daemon cannot read", () => {
  it.live("garbage is answered and told, and other clients go on", () =>
    Effect.gen(function*() {
      const { log, socket } = yield* servePyro(short)
      const raw = yield* rawTo(socket)
      const answered = yield* Effect.forkChild(answerOf(raw, ({ _tag }) => _tag === "Defect"), {
        startImmediately: true
      })
      raw.write(Buffer.from([2, 0xc1, 0xc1]))
      yield* Fiber.join(answered)
      assert.match(log.join("\n"), /of a client: a message cannot be read/)
      assert.deepStrictEqual(yield* listed(yield* connect(socketTo(socket))), { workspaces: [] })
    }))

  it.live("a request of another build fails with an error that names its operation, and the connection goes on", () =>
    Effect.gen(function*() {
      const { socket } = yield* servePyro(short)
      const proxied = `${socket}.skewed`
      const Other = Schema.Struct({ other: Schema.String })
      const skewed = Schema.encodeUnknownSync(codecFor(Other) as Schema.Codec<unknown>)({ other: "x" })
      const proxy = net.createServer((client) => {
        const daemon = net.connect(socket)
        daemon.pipe(client)
        client.once("data", (bytes) => {
          const [request] = makeUnsafe().decode(bytes) as ReadonlyArray<object>
          daemon.write(frame({ ...request, payload: skewed }))
          client.pipe(daemon)
        })
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void proxy.listen(proxied, () => resume(Effect.void))),
        () => Effect.sync(() => void proxy.close())
      )
      const client = yield* connect(socketTo(proxied))
      const failure = yield* Effect.flip(listed(client))
      assert.instanceOf(failure, MessageUnreadable)
      assert.match((failure as Error).message, /^workspace\.list: .*matching layout fingerprint/)
      assert.deepStrictEqual(yield* listed(client), { workspaces: [] })
    }))

  it.live("a payload beyond its limits is refused by its field, and the connection goes on", () =>
    Effect.gen(function*() {
      const { socket } = yield* servePyro(short)
      const client = yield* connect(socketTo(socket))
      const failure = yield* Effect.flip(
        Stream.runDrain(eventsOf(client, workspaceExec, { ...payload, waitSeconds: -1 }))
      )
      assert.deepStrictEqual(
        failure,
        new InvalidRequest({ field: "wait_seconds", detail: "must be 0 to 86400 seconds" })
      )
      assert.instanceOf(yield* Effect.flip(client.ask("workspace.list", { labels: { a: 7 } })), InvalidRequest)
      assert.deepStrictEqual(yield* listed(client), { workspaces: [] })
    }))

  it.live("a request that no daemon has fails with an error that names it", () =>
    Effect.gen(function*() {
      const { socket } = yield* servePyro(short)
      const raw = yield* rawTo(socket)
      const answered = yield* Effect.forkChild(answerOf(raw, ({ _tag }) => _tag === "Exit"), { startImmediately: true })
      raw.write(
        frame({ _tag: "Request", id: "1", tag: "workspace.unheard_of", payload: new Uint8Array(0), headers: [] })
      )
      const { exit } = yield* Fiber.join(answered)
      const unknown = codecFor(Schema.Exit(Schema.Never, Schema.Never, Schema.Defect()))
      const decoded = Schema.decodeUnknownSync(unknown as Schema.Codec<Exit.Exit<never>>)(exit)
      assert.strictEqual(
        Exit.isFailure(decoded) && Cause.squash(decoded.cause),
        "Unknown request tag: workspace.unheard_of"
      )
    }))
})

describe("a handler's defect", () => {
  it.live("a defect of one call leaves the connection usable", () =>
    Effect.gen(function*() {
      const { socket } = yield* servePyro(pyroWith(() => Stream.die(new Error("impossible"))))
      const client = yield* connect(socketTo(socket))
      const exit = yield* Effect.exit(Stream.runDrain(executed(client)))
      assert.match(String(exit._tag === "Failure" && exit.cause), /impossible/)
      assert.deepStrictEqual(yield* listed(client), { workspaces: [] })
    }))
})

describe("a half-closed connection", () => {
  it.live("a client that has closed its side ends its operation", () =>
    Effect.gen(function*() {
      const ended = yield* Deferred.make<void>()
      const { socket } = yield* servePyro(
        pyroWith(() =>
          Stream.ensuring(Stream.concat(Stream.make(started), Stream.never), Deferred.succeed(ended, undefined))
        )
      )
      const raw = yield* rawTo(socket)
      const begun = yield* Effect.forkChild(answerOf(raw, ({ _tag }) => _tag === "Chunk"), { startImmediately: true })
      raw.write(requestOf("workspace.exec", payload))
      yield* Fiber.join(begun)
      raw.end()
      yield* Deferred.await(ended)
    }))

  it.live("a daemon that has closed its side has lost its clients' calls", () =>
    Effect.gen(function*() {
      const client = yield* answering((socket) => void socket.end())
      for (const failure of yield* failuresOf(client)) {
        assert.deepStrictEqual(failure, new ConnectionLost({ mayBeDone: true }))
      }
    }))
})

describe("a client that dies", () => {
  /** A daemon whose work tells when it runs, and when it has ended. */
  const watched = Effect.gen(function*() {
    const begun = yield* Deferred.make<void>()
    const ended = yield* Deferred.make<void>()
    const never = Effect.andThen(Deferred.succeed(begun, undefined), Effect.never).pipe(
      Effect.onInterrupt(() => Deferred.succeed(ended, undefined))
    )
    return { begun: Deferred.await(begun), ended: Deferred.await(ended), never }
  })

  it.live("the work of its request ends", () =>
    Effect.gen(function*() {
      const { begun, ended, never } = yield* watched
      const { log, socket } = yield* servePyro(pyroWith(() => Stream.never, never))
      const raw = yield* rawTo(socket)
      raw.write(requestOf("workspace.list", { labels: {} }))
      yield* begun
      raw.destroy()
      yield* ended
      assert.deepStrictEqual(log, [])
    }))

  it.live("the work of its operation with events ends", () =>
    Effect.gen(function*() {
      const { begun, ended, never } = yield* watched
      const { log, socket } = yield* servePyro(
        pyroWith(() => Stream.concat(Stream.make(started), Stream.fromEffectDrain(never)))
      )
      const raw = yield* rawTo(socket)
      raw.write(requestOf("workspace.exec", payload))
      yield* begun
      raw.destroy()
      yield* ended
      assert.deepStrictEqual(log, [])
    }))

  it.live("its operation ends in the middle of input that waits", () =>
    Effect.gen(function*() {
      const { begun, ended, never } = yield* watched
      const { log, socket } = yield* servePyro(
        pyroWith((_, input) =>
          Stream.unwrap(Effect.as(Effect.forkScoped(input!.stdin!.pipe(Stream.runForEach(() => never))), Stream.never))
        )
      )
      const id = newRequestId()
      const raw = yield* rawTo(socket)
      raw.write(requestOf("workspace.exec", payload, { headers: [[INPUT_HEADER, id]] }))
      for (let piece = 0; piece < 8; piece++) {
        raw.write(requestOf("input.write", { id, at: piece, bytes: new Uint8Array(1) }, { id: `i${piece}` } as never))
      }
      yield* begun
      raw.destroy()
      yield* ended
      assert.deepStrictEqual(log, [])
      assert.deepStrictEqual(yield* listed(yield* connect(socketTo(socket))), { workspaces: [] })
    }))
})

describe("a daemon that restarts", () => {
  it.live("a stream of the old daemon is lost, and a new connection has the new daemon", () =>
    Effect.gen(function*() {
      const { socket, stop } = yield* servePyro(endless)
      const client = yield* connect(socketTo(socket))
      const begun = yield* Deferred.make<void>()
      const running = yield* Effect.forkChild(
        Effect.flip(Stream.runForEach(executed(client), () => Deferred.succeed(begun, undefined)))
      )
      yield* Deferred.await(begun)
      yield* stop
      fs.rmSync(socket, { force: true })
      yield* servePyro(short, { socket })
      assert.deepStrictEqual(yield* Fiber.join(running), new ConnectionLost({ mayBeDone: true }))
      assert.deepStrictEqual(yield* Stream.runCollect(executed(yield* connect(socketTo(socket)))), [started, exited])
    }))
})

describe("a slow reader", () => {
  it.live("a stopped reader keeps no other call waiting, and the daemon does not send on", () =>
    Effect.gen(function*() {
      let slowEvents = 0
      const output: ExecEvent = { _tag: "Output", from: "stdout", bytes: new Uint8Array(32_768), next: 32_768 }
      const slowly = Effect.sync(() => {
        slowEvents++
        return output
      })
      const { socket } = yield* servePyro(pyroWith(({ workspace }) =>
        workspace === "slow"
          ? Stream.fromEffectRepeat(slowly)
          : Stream.take(Stream.fromEffectRepeat(Effect.succeed(output)), 500)
      ))
      const client = yield* connect(socketTo(socket))
      const stopped = yield* Deferred.make<void>()
      const slow = eventsOf(client, workspaceExec, { ...payload, workspace: "slow" })
      yield* Effect.forkChild(
        Stream.runForEach(slow, () => Effect.andThen(Deferred.succeed(stopped, undefined), Effect.never))
      )
      yield* Deferred.await(stopped)
      // A busy reader beside it has all of its events, 16 MiB.
      assert.strictEqual(yield* Stream.runCount(eventsOf(client, workspaceExec, payload)), 500)
      for (let call = 0; call < 100; call++) yield* listed(client)
      // What both sides hold of the stopped one: a window, the batch on its way, and a buffer of the daemon.
      assert.isAtMost(slowEvents, 4 * WINDOW_EVENTS)
    }))
})
