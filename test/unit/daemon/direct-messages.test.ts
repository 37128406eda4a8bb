import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Queue, Ref, Stream } from "effect"
import * as RpcServer from "effect/rpc/RpcServer"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { ChannelFailed, type PyroError } from "../../../src/contract/errors/errors.ts"
import { callFromPull, type PullEvents } from "../../../src/contract/rows/event-batches.ts"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import type { RunInput } from "../../../src/contract/rows/run-input.ts"
import type { AttachEvent } from "../../../src/contract/rows/workspace-attach.ts"
import { streamingRows } from "../../../src/contract/wire/event-rpcs.ts"
import { INPUT_HEADER } from "../../../src/contract/wire/input-rpcs.ts"
import { makePyroRpcs } from "../../../src/contract/wire/rpc.ts"
import { serialization } from "../../../src/contract/wire/serialization.ts"
import { makeDirectMessages } from "../../../src/daemon/direct-messages.ts"
import { handlers } from "../../../src/daemon/handlers.ts"
import { layerProtocol } from "../../../src/daemon/protocol.ts"
import { makeRequestTracker } from "../../../src/daemon/request-tracker.ts"
import { firstEvents } from "../../../src/sdk/first-events.ts"
import { connect, ConnectionLost, socketTo } from "../../../src/sdk/session.ts"
import { newRequestId } from "../../../src/system/processes/identity.ts"
import { unfakedPyro } from "../../support/unfaked-pyro.ts"

const row = streamingRows.find(({ name }) => name === "workspace.shell.attach")!
const output = (...bytes: ReadonlyArray<number>): AttachEvent => ({ _tag: "Output", bytes: Uint8Array.from(bytes) })

type Attach = (input: RunInput | undefined) => PullEvents<AttachEvent>

/** A daemon with one operation, which `attach` makes, and a client of it. */
const served = (attach: Attach) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "direct-"))),
      (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
    )
    const socket = path.join(folder, "socket")
    const requests = yield* makeRequestTracker
    const direct = makeDirectMessages()
    const call = callFromPull((_: unknown, input) => Effect.succeed(attach(input)))
    const Served = Layer.succeed(
      Pyro,
      {
        ...unfakedPyro,
        workspace: { ...unfakedPyro.workspace, shell: { ...unfakedPyro.workspace.shell, attach: call } }
      } as typeof unfakedPyro
    )
    const leaving = yield* Ref.make(false)
    const stop = yield* Deferred.make<void>()
    yield* Layer.launch(
      RpcServer.layer(makePyroRpcs(), { disableFatalDefects: true, disableTracing: true }).pipe(
        Layer.provide(handlers({ requests, leaving, hasSpan: () => false, direct })),
        Layer.provide(layerProtocol(direct)),
        Layer.provide(requests.listen(socket)),
        Layer.provide(serialization),
        Layer.provide(Served)
      )
    ).pipe(Effect.raceFirst(Deferred.await(stop)), Effect.forkScoped)
    while (!fs.existsSync(socket)) yield* Effect.sleep(1)
    return { client: yield* connect(socketTo(socket)), stop: Deferred.succeed(stop, undefined) }
  })

const attached = (client: Effect.Success<ReturnType<typeof connect>>, inputId?: string) =>
  firstEvents<AttachEvent>(
    client,
    row,
    { workspace: "w", shellId: "s", detachKey: "none", raw: false },
    inputId === undefined ? {} : { [INPUT_HEADER]: inputId }
  )

type Rest = Effect.Effect<AttachEvent, Option.Option<PyroError>>

/** One event at once, and the rest after the first batch. */
const begun = (rest: Rest): PullEvents<AttachEvent> => {
  let hasBegun = false
  return (waitMs) =>
    Effect.suspend(() => {
      if (hasBegun) return waitMs === undefined ? Effect.map(rest, (event) => [event]) : Effect.succeed([])
      hasBegun = true
      return Effect.succeed<ReadonlyArray<AttachEvent>>([{ _tag: "Attached", shellId: "s", screen: "" }])
    })
}

/** Gives each typed byte as output. */
const echoing = (refuses: (key: number) => boolean): Attach => (input) => {
  const typed = Effect.runSync(Queue.unbounded<Uint8Array>())
  const echo = (bytes: Uint8Array) => Queue.offerUnsafe(typed, Uint8Array.from(bytes))
  Effect.runFork(input!.writeStdin!({
    tryWrite: (bytes) => !refuses(bytes[0]!) && echo(bytes),
    write: (bytes) => Effect.delay(Effect.sync(() => void echo(bytes)), 5)
  }))
  return begun(Effect.map(Queue.take(typed), (bytes) => output(...bytes)))
}

const bytesOf = (events: Iterable<AttachEvent>) =>
  [...events].flatMap((event) => event._tag === "Output" ? [...event.bytes] : [])

describe("keys of a client beside the RPC server", () => {
  const keysArrive = (refuses: (key: number) => boolean) =>
    Effect.gen(function*() {
      const { client } = yield* served(echoing(refuses))
      const id = newRequestId()
      const { next } = yield* attached(client, id)
      const keys = Array.from({ length: 30 }, (_, key) => key)
      yield* Effect.forkChild(Effect.forEach(keys, (key) => client.direct!.writeInput(id, Uint8Array.of(key))))
      const got: Array<number> = []
      while (got.length < keys.length) got.push(...bytesOf(yield* next!))
      assert.deepStrictEqual(got, keys)
    })

  it.live("keys arrive in order if the shell takes each at once", () => keysArrive(() => false))

  it.live("keys arrive in order if some of them have to wait", () => keysArrive((key) => key % 3 === 0))
})

describe("events beside the RPC server", () => {
  it.live("the daemon pulls no further events while the client takes none", () =>
    Effect.gen(function*() {
      let pulled = 0
      const { client } = yield* served(() => begun(Effect.sync(() => output(pulled++))))
      const { next } = yield* attached(client)
      yield* next!
      for (let turn = 0; turn < 200; turn++) yield* Effect.yieldNow
      // One batch is with the caller, and one waits in the client.
      assert.isAtMost(pulled, 2)
      for (let at = 0; at < 20; at++) yield* next!
      assert.isAtLeast(pulled, 21)
    }))

  it.live("a failure of the operation arrives as its error", () =>
    Effect.gen(function*() {
      const failure: PyroError = new ChannelFailed({ detail: "gone" })
      const { client } = yield* served(() => begun(Effect.fail(Option.some(failure))))
      const { rest } = yield* attached(client)
      assert.instanceOf(yield* Effect.flip(Stream.runDrain(rest!)), ChannelFailed)
    }))

  it.live("the end of the operation ends its events", () =>
    Effect.gen(function*() {
      const { client } = yield* served(() => begun(Effect.fail(Option.none())))
      const { rest } = yield* attached(client)
      yield* Stream.runDrain(rest!)
    }))

  it.live("the end of the daemon is a lost connection", () =>
    Effect.gen(function*() {
      const { client, stop } = yield* served(() => begun(Effect.never))
      const { next } = yield* attached(client)
      const waiting = yield* Effect.forkChild(Effect.flip(next!))
      yield* Effect.yieldNow
      yield* stop
      const failure = Option.getOrUndefined(yield* Fiber.join(waiting))
      assert.instanceOf(failure, ConnectionLost)
    }))

  it.live("a client that leaves ends the operation", () =>
    Effect.gen(function*() {
      const began = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<void>()
      const never = Effect.andThen(Deferred.succeed(began, undefined), Effect.never)
      const { client } = yield* served(() => begun(Effect.onInterrupt(never, () => Deferred.succeed(ended, undefined))))
      yield* Effect.scoped(Effect.gen(function*() {
        const { next } = yield* attached(client)
        yield* Effect.forkScoped(next!)
        yield* Deferred.await(began)
      }))
      yield* Deferred.await(ended)
    }))
})
