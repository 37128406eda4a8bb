import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Result } from "effect"
import * as dgram from "node:dgram"
import type { DatagramRequest } from "../../../../../src/lib/guest-channel/model/network.ts"
import { FirstIds } from "../../../../../src/lib/network/datagrams.ts"
import { serveDatagrams } from "../../../../../src/workspace/residents/network/datagrams.ts"
import type { NewRecord } from "../../../../../src/workspace/residents/network/log.ts"
import type { Connecting, Open } from "../../../../../src/workspace/residents/network/open.ts"
import { grantedBy } from "../../../../../src/workspace/residents/policy/policy.ts"

const ADDRESS = "203.0.113.1"

const { rules } = Result.getOrThrow(
  grantedBy({ networkPolicy: "egress", allowHosts: [], denyHosts: [], allowIps: [ADDRESS] })
)

const unused = () => Effect.die(new Error("unused"))

it.live("a guest has 256 flows of datagrams, also if many open at once and their guest never answers", () =>
  Effect.gen(function*() {
    const resolved = yield* Deferred.make<void>()
    const records: Array<NewRecord> = []
    const open = new Set<Open>()
    const connecting: Connecting = {
      dialler: {
        dial: unused,
        dialNow: () => undefined,
        openDatagrams: ({ address }) =>
          Deferred.await(resolved).pipe(
            Effect.andThen(Effect.acquireRelease(
              Effect.sync(() => dgram.createSocket("udp4")),
              (socket) => Effect.sync(() => socket.close())
            )),
            Effect.map((socket) => ({ socket, address }))
          ),
        makeAuthority: unused,
        resolve: unused
      },
      group: "w",
      rules: () => rules,
      open,
      record: (one) => Effect.sync(() => void records.push(one)),
      pace: { isNow: () => true, wait: Effect.void, isDatagramNow: () => true, isHandshakeNow: () => true },
      firstIds: new FirstIds(),
      interceptionOf: () => Effect.succeed(undefined),
      placeholders: () => [],
      caching: { of: () => undefined, settings: () => undefined }
    }
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
