import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, References, Result, Scope } from "effect"
import * as net from "node:net"
import type { ConnectRequest } from "../../../../../src/lib/guest-channel/model/network.ts"
import { type Dialled, DialRefused, type DialRequest } from "../../../../../src/lib/network/Dialler.ts"
import { serveRequests } from "../../../../../src/workspace/residents/network/serve.ts"
import { askingChannel, connectingOf, egressRules } from "../../../../support/network/connecting.ts"

const rulesFor = (allowIps: ReadonlyArray<string>) => egressRules({ allowIps })

const ADDRESS = "203.0.113.1"

/** A guest whose requests a test makes, and a host whose connections a test makes. */
const world = Effect.gen(function*() {
  const said: Array<string> = []
  let rules = rulesFor([`${ADDRESS}:80`])
  let withdraw = () => {}
  let settle = (_: Dialled | DialRefused) => {}
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const { channel, take } = askingChannel()
  const { connecting, open, records } = connectingOf({
    dialler: {
      dial: ({ port }: DialRequest) =>
        Effect.suspend(() => {
          said.push(`dial ${port} in a fiber`)
          return new DialRefused({ reason: "denied", detail: "no", remedy: undefined })
        }),
      dialNow: ({ port }, given) => {
        if (port === 82) throw new Error("a defect")
        if (port !== 80) return undefined
        said.push("dial")
        settle = given
        return () => void said.push("stop")
      }
    },
    rules: () => rules
  })
  yield* Scope.provide(serveRequests(channel, connecting), scope)
  yield* Effect.yieldNow
  const request: ConnectRequest = {
    _tag: "Connect",
    name: undefined,
    address: ADDRESS,
    port: 80,
    acceptNow: () => {
      said.push("accept")
      return Result.succeed({ socket: Effect.never, release: () => void said.push("release") })
    },
    refuse: Effect.sync(() => void said.push("refuse")),
    withdrawn: Effect.never,
    onWithdrawn: (listener) => {
      const before = withdraw
      withdraw = () => {
        before()
        listener()
      }
    }
  }
  const socket = new net.Socket().on("error", () => {})
  return {
    said,
    open,
    socket,
    outcomes: () => records.map(({ outcome, reason }) => [outcome, reason]),
    ask: (fields: Partial<ConnectRequest> = {}) => take({ ...request, ...fields }),
    connected: () => settle({ socket, address: ADDRESS, viaProxy: false }),
    refused: () => settle(new DialRefused({ reason: "refused", detail: "no server", remedy: undefined })),
    withdraw: () => withdraw(),
    forbid: () => (rules = rulesFor([`${ADDRESS}:81`])),
    close: Scope.close(scope, Exit.void)
  }
})

const GAVE_UP = ["failed", "the guest gave up before the connection was made"]

describe("a connection that waits for nothing", () => {
  it.effect("the host connects, and the guest is told, without a turn between", () =>
    Effect.gen(function*() {
      const { ask, close, connected, open, outcomes, said, socket } = yield* world
      ask()
      assert.deepStrictEqual([said, open.size], [["dial"], 0])
      connected()
      assert.deepStrictEqual([said, open.size], [["dial", "accept"], 1])
      yield* close
      assert.deepStrictEqual([said, open.size], [["dial", "accept", "release"], 0])
      assert.isTrue(socket.destroyed)
      assert.deepStrictEqual(outcomes(), [GAVE_UP])
    }))

  it.effect("a connection that the host cannot make is in the log before the guest is told", () =>
    Effect.gen(function*() {
      const { ask, close, outcomes, refused, said } = yield* world
      ask()
      refused()
      assert.deepStrictEqual([said, outcomes()], [["dial", "refuse"], [["failed", "no server"]]])
      yield* close
      assert.strictEqual(outcomes().length, 1)
    }))

  it.effect("a guest that gives up stops the host, and is in the log once", () =>
    Effect.gen(function*() {
      const { ask, close, outcomes, said, withdraw } = yield* world
      ask()
      withdraw()
      assert.deepStrictEqual([said, outcomes()], [["dial", "stop"], [GAVE_UP]])
      withdraw()
      yield* close
      assert.deepStrictEqual([said, outcomes()], [["dial", "stop"], [GAVE_UP]])
    }))

  it.effect("the end of the guest stops the host", () =>
    Effect.gen(function*() {
      const { ask, close, outcomes, said } = yield* world
      ask()
      yield* close
      assert.deepStrictEqual([said, outcomes()], [["dial", "stop"], [GAVE_UP]])
    }))

  it.effect("a policy that changed meanwhile is obeyed", () =>
    Effect.gen(function*() {
      const { ask, connected, forbid, open, outcomes, said, socket } = yield* world
      ask()
      forbid()
      connected()
      assert.deepStrictEqual([said, open.size, socket.destroyed], [["dial", "refuse"], 0, true])
      assert.deepStrictEqual(outcomes(), [["denied", "no rule allows the address"]])
    }))

  it.effect("a name, and a request that the dialler does not take at once, have a fiber", () =>
    Effect.gen(function*() {
      const { ask, said } = yield* world
      ask({ name: "example.com" })
      ask({ port: 81 })
      assert.deepStrictEqual(said, ["dial 80 in a fiber", "refuse", "dial 81 in a fiber", "refuse"])
    }))

  it.effect("a defect of the dialler refuses the request, and the next one is served", () =>
    Effect.gen(function*() {
      const { ask, said } = yield* world
      ask({ port: 82 })
      ask()
      assert.deepStrictEqual(said, ["refuse", "dial"])
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None")))
})
