import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Result } from "effect"
import * as dgram from "node:dgram"
import type { DatagramRequest } from "../../../../../src/lib/guest-channel/model/network.ts"
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
