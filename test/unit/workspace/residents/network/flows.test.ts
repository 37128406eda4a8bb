import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Result, Stream } from "effect"
import * as dgram from "node:dgram"
import type { DatagramRequest, GuestSocket } from "../../../../../src/lib/guest-channel/model/network.ts"
import { serveDatagrams } from "../../../../../src/workspace/residents/network/datagrams.ts"
import { connectingOf, egressRules } from "../../../../support/network/connecting.ts"

const ADDRESS = "203.0.113.1"

const rules = egressRules({ allowIps: [ADDRESS] })

it.live("a guest has 256 flows of datagrams, also if many open at once and their guest never answers", () =>
  Effect.gen(function*() {
    const resolved = yield* Deferred.make<void>()
    const { connecting, open, records } = connectingOf({
      dialler: {
        openDatagrams: ({ address }) =>
          Deferred.await(resolved).pipe(
            Effect.andThen(Effect.acquireRelease(
              Effect.sync(() => dgram.createSocket("udp4")),
              (socket) => Effect.sync(() => socket.close())
            )),
            Effect.map((socket) => ({ socket, address }))
          )
      },
      rules: () => rules
    })
    const request: DatagramRequest = {
      _tag: "Datagrams",
      name: undefined,
      address: ADDRESS,
      port: 53,
      acceptNow: () => Result.succeed({ socket: Effect.never, release: () => {} }),
      refuse: Effect.void,
      withdrawn: Effect.never,
      onWithdrawn: () => {}
    }
    const flows = yield* Effect.forEach(
      Array.from({ length: 300 }),
      () => Effect.forkChild(serveDatagrams(request, connecting), { startImmediately: true })
    )
    yield* Deferred.succeed(resolved, undefined)
    yield* Effect.forEach(flows.slice(0, 44), Fiber.join)
    assert.strictEqual(open.size, 256)
    assert.deepStrictEqual(
      records.map(({ outcome, reason }) => [outcome, reason]),
      Array.from({ length: 44 }, () => [
        "allowed",
        "the guest has more than 256 flows of datagrams"
      ])
    )
  }))

it.live("a flow whose other side has closed the port tells the guest before it ends", () =>
  Effect.gen(function*() {
    const closed = dgram.createSocket("udp4")
    const port = yield* Effect.callback<number>((resume) => {
      closed.bind(0, "127.0.0.1", () => {
        const { port } = closed.address()
        closed.close(() => resume(Effect.succeed(port)))
      })
    })
    const said: Array<string> = []
    const { connecting, records } = connectingOf({
      dialler: {
        openDatagrams: ({ address }) =>
          Effect.acquireRelease(
            Effect.callback<dgram.Socket>((resume) => {
              const socket = dgram.createSocket("udp4")
              socket.connect(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
            }),
            (socket) => Effect.sync(() => socket.close())
          ).pipe(Effect.map((socket) => ({ socket, address })))
      },
      rules: () => rules
    })
    const socket: GuestSocket = {
      received: Stream.never,
      forEachReceived: (f) => Effect.andThen(f(new Uint8Array([0, 1, 7])), Effect.never),
      write: () => Effect.void,
      end: Effect.sync(() => void said.push("end")),
      closed: Effect.sync(() => void said.push("closed"))
    }
    yield* serveDatagrams({
      _tag: "Datagrams",
      name: undefined,
      address: ADDRESS,
      port: 53,
      acceptNow: () => Result.succeed({ socket: Effect.succeed(socket), release: () => void said.push("release") }),
      refuse: Effect.void,
      withdrawn: Effect.never,
      onWithdrawn: () => {}
    }, connecting)
    assert.deepStrictEqual(said, ["end", "closed", "release"])
    assert.deepStrictEqual(records.map(({ outcome }) => outcome), ["failed"])
    assert.match(String(records[0]!.reason), /does not take datagrams: .*ECONNREFUSED/)
  }))
