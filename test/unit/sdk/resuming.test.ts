import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Queue, Stream } from "effect"
import { DaemonUnavailable, WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import { callFromPull } from "../../../src/contract/rows/event-batches.ts"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { AttachEvent } from "../../../src/contract/rows/workspace-attach.ts"
import { layerRemote } from "../../../src/sdk/client.ts"
import { socketTo } from "../../../src/sdk/connection/connection.ts"
import { makeBadLine } from "../../support/daemon/bad-line.ts"
import { servePyro } from "../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { lapse, until } from "../../support/until.ts"

const EVENTS = 200
const PIECE_BYTES = 5_000

/** What a daemon saw. */
interface Seen {
  listed: number
  attached: number
  ended: number
  pulled: number
  input: Array<number>
}

/** A daemon that counts what it does, with a shell of many events that answers input. */
const makeDaemon = () => {
  const seen: Seen = { listed: 0, attached: 0, ended: 0, pulled: 0, input: [] }
  const mayAnswer = Deferred.makeUnsafe<void>()
  const mayEnd = Deferred.makeUnsafe<void>()
  const piece = (at: number): AttachEvent => ({ _tag: "Output", bytes: new Uint8Array(PIECE_BYTES).fill(at) })
  const service: PyroService = {
    ...unfakedPyro,
    workspace: {
      ...unfakedPyro.workspace,
      list: () =>
        Effect.andThen(
          Effect.sync(() => void seen.listed++),
          Effect.as(Deferred.await(mayAnswer), { workspaces: [], total: 0 } as never)
        ),
      status: ({ workspace }) => Effect.fail(new WorkspaceNotFound({ workspace, similar: [] } as never)),
      shell: {
        ...unfakedPyro.workspace.shell,
        attach: callFromPull((_: unknown, input) =>
          Effect.gen(function*() {
            seen.attached++
            let at = 0
            yield* Effect.addFinalizer(() => Effect.sync(() => void seen.ended++))
            if (input?.stdin !== undefined) {
              yield* Effect.forkScoped(
                Stream.runForEach(input.stdin, (bytes) => Effect.sync(() => void seen.input.push(...bytes)))
              )
            }
            return () =>
              Effect.suspend(() => {
                if (at < EVENTS) {
                  seen.pulled++
                  return Effect.succeed([piece(at++)])
                }
                return Effect.andThen(Deferred.await(mayEnd), Effect.fail(Option.none()))
              })
          })
        )
      }
    }
  } as PyroService
  return { seen, service, mayAnswer, mayEnd }
}

const times = { holdSeconds: 60, patienceMs: 20_000, pingMs: 60_000 }

/** A daemon, a line to it that may break, and a client over the line. */
const served = (given: Partial<typeof times> = {}) =>
  Effect.gen(function*() {
    const daemon = makeDaemon()
    const { log, portable, socket, stop } = yield* servePyro(daemon.service)
    const line = yield* makeBadLine(portable)
    const connect = Effect.map(
      Layer.build(layerRemote(socketTo(line.path), { ...times, ...given })),
      (context) => context.pipe((all) => Effect.runSync(Effect.provide(Pyro, all)))
    )
    return { ...daemon, line, log, socket, stop, connect }
  })

const attach = (pyro: PyroService, stdin?: Stream.Stream<Uint8Array>) =>
  pyro.workspace.shell.attach(
    { workspace: "w", shellId: "s", detachKey: "none", raw: false },
    stdin === undefined ? undefined : { stdin }
  )

const list = (pyro: PyroService) => pyro.workspace.list({ labels: {} } as never)

const firstBytes = (events: Iterable<AttachEvent>) =>
  [...events].map((event) => event._tag === "Output" ? event.bytes[0] : -1)
const all = Array.from({ length: EVENTS }, (_, at) => at % 256)

describe("a request whose line is lost", () => {
  it.live("gets its answer over the next line, and its work is done once", () =>
    Effect.gen(function*() {
      const { connect, line, mayAnswer, seen } = yield* served()
      const pyro = yield* connect
      const asked = yield* Effect.forkChild(list(pyro))
      yield* until(() => seen.listed === 1)
      yield* line.cut
      yield* until(() => line.count.connections === 2)
      yield* Deferred.succeed(mayAnswer, undefined)
      yield* Fiber.join(asked)
      assert.strictEqual(seen.listed, 1)
    }))

  it.live("gets its error over the next line", () =>
    Effect.gen(function*() {
      const { connect, line } = yield* served()
      const pyro = yield* connect
      yield* line.cut
      const failure = yield* Effect.flip(pyro.workspace.status({ workspace: "none" }))
      assert.strictEqual(failure._tag, "WorkspaceNotFound")
    }))

  it.live("that breaks after any number of bytes gets each event once and in order", () =>
    Effect.gen(function*() {
      const { connect, line, mayEnd, seen } = yield* served()
      const pyro = yield* connect
      yield* Deferred.succeed(mayEnd, undefined)
      let attached = 0
      for (let bytes = 1; bytes < EVENTS * PIECE_BYTES; bytes = Math.ceil(bytes * 1.7)) {
        line.breaks({ toClient: bytes }, { toDaemon: Math.min(bytes, 700) }, { toClient: bytes })
        yield* line.cut
        assert.deepStrictEqual(firstBytes(yield* Stream.runCollect(attach(pyro))), all, `after ${bytes} bytes`)
        attached++
      }
      assert.strictEqual(seen.attached, attached)
      yield* until(() => seen.ended === attached)
    }), 120_000)

  it.live("reads no further than a window ahead of a client that is away", () =>
    Effect.gen(function*() {
      const { connect, line, mayEnd, seen } = yield* served()
      const pyro = yield* connect
      const taken = yield* Queue.unbounded<AttachEvent>()
      const reads = yield* Effect.forkChild(Stream.runForEach(attach(pyro), (event) => Queue.offer(taken, event)))
      yield* Queue.take(taken)
      yield* line.away(true)
      yield* line.cut
      yield* until(() => line.count.refused > 2)
      assert.isBelow(seen.pulled, EVENTS)
      yield* line.away(false)
      yield* Deferred.succeed(mayEnd, undefined)
      yield* Fiber.join(reads)
      assert.strictEqual(seen.pulled, EVENTS)
      assert.strictEqual(seen.attached, 1)
    }))

  it.live("sends each byte of its input once and in order", () =>
    Effect.gen(function*() {
      const { connect, line, mayEnd, seen } = yield* served()
      const pyro = yield* connect
      const bytes = Array.from({ length: 300 }, (_, at) => at % 251)
      const stdin = Stream.fromIterable(bytes).pipe(
        Stream.map((byte) => Uint8Array.of(byte)),
        Stream.mapEffect((one) => Effect.delay(Effect.succeed(one), 1))
      )
      const reads = yield* Effect.forkChild(Stream.runDrain(attach(pyro, stdin)))
      for (const some of [10, 60, 120, 200, 280]) {
        yield* until(() => seen.input.length >= some)
        yield* line.cut
      }
      yield* until(() => seen.input.length >= bytes.length)
      yield* Deferred.succeed(mayEnd, undefined)
      yield* Fiber.join(reads)
      assert.deepStrictEqual(seen.input, bytes)
      assert.isAbove(line.count.connections, 4)
    }))

  it.live("goes on when its line falls silent", () =>
    Effect.gen(function*() {
      const { connect, line, mayEnd, seen } = yield* served({ pingMs: 100 })
      line.breaks({ toClient: 100_000, stalls: true })
      const pyro = yield* connect
      yield* Deferred.succeed(mayEnd, undefined)
      assert.deepStrictEqual(firstBytes(yield* Stream.runCollect(attach(pyro))), all)
      assert.strictEqual(seen.attached, 1)
    }))
})

describe("a client of another machine that falls silent", () => {
  it.live("loses its connection, and one that pings keeps it", () =>
    Effect.gen(function*() {
      const { portable } = yield* servePyro(makeDaemon().service, { silenceMs: 400 })
      const lost = { silent: false, pinging: false }
      const silent = yield* socketTo(portable)
      silent.once("close", () => void (lost.silent = true))
      const far = yield* socketTo(portable)
      far.once("close", () => void (lost.pinging = true))
      yield* Layer.build(layerRemote(Effect.succeed(far), { ...times, pingMs: 50 }))
      yield* until(() => lost.silent)
      yield* lapse(800)
      assert.isFalse(lost.pinging)
    }))
})

describe("a client that ends its request itself", () => {
  it.live("ends the work at once, and waits for its end", () =>
    Effect.gen(function*() {
      const { connect, seen } = yield* served()
      const pyro = yield* connect
      const reads = yield* Effect.forkChild(Stream.runDrain(attach(pyro)))
      yield* until(() => seen.pulled === EVENTS)
      yield* Fiber.interrupt(reads)
      assert.strictEqual(seen.ended, 1)
    }))

  it.live("ends the work with its next line if it has none at that time", () =>
    Effect.gen(function*() {
      const { connect, line, mayAnswer, seen } = yield* served()
      const pyro = yield* connect
      const reads = yield* Effect.forkChild(Stream.runDrain(attach(pyro)))
      yield* until(() => seen.pulled === EVENTS)
      yield* line.away(true)
      yield* line.cut
      yield* until(() => line.count.refused > 0)
      yield* Fiber.interrupt(reads)
      assert.strictEqual(seen.ended, 0)
      yield* line.away(false)
      yield* Deferred.succeed(mayAnswer, undefined)
      yield* list(pyro)
      yield* until(() => seen.ended === 1)
    }))
})

describe("kept work", () => {
  it.live("ends when nobody asks for it in its time, and the request is lost", () =>
    Effect.gen(function*() {
      const { connect, line, seen } = yield* served({ holdSeconds: 1 })
      const pyro = yield* connect
      const reads = yield* Effect.forkChild(Effect.flip(Stream.runDrain(attach(pyro))))
      yield* until(() => seen.pulled === EVENTS)
      yield* line.away(true)
      yield* line.cut
      yield* until(() => seen.ended === 1)
      yield* line.away(false)
      assert.instanceOf(yield* Fiber.join(reads), DaemonUnavailable)
      assert.strictEqual(seen.attached, 1)
    }))

  it.live("is lost for a client whose patience is over", () =>
    Effect.gen(function*() {
      const { connect, line, seen } = yield* served({ patienceMs: 300 })
      const pyro = yield* connect
      const reads = yield* Effect.forkChild(Effect.flip(Stream.runDrain(attach(pyro))))
      yield* until(() => seen.pulled === EVENTS)
      yield* line.away(true)
      yield* line.cut
      assert.instanceOf(yield* Fiber.join(reads), DaemonUnavailable)
      assert.strictEqual(seen.ended, 0)
    }))

  it.live("is done again by no other daemon", () =>
    Effect.gen(function*() {
      const { connect, line, seen, socket, stop } = yield* served()
      const pyro = yield* connect
      const reads = yield* Effect.forkChild(Effect.flip(Stream.runDrain(attach(pyro))))
      yield* until(() => seen.pulled === EVENTS)
      yield* stop
      const next = makeDaemon()
      yield* servePyro(next.service, { socket })
      assert.instanceOf(yield* Fiber.join(reads), DaemonUnavailable)
      assert.strictEqual(next.seen.attached, 0)
      assert.isAbove(line.count.connections, 1)
    }))
})
