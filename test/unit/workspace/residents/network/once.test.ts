import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Result, Scope } from "effect"
import * as net from "node:net"
import type { ConnectRequest, DnsAnswer } from "../../../../../src/lib/guest-channel/model/network.ts"
import { type Dialled, DialRefused, TYPE_A } from "../../../../../src/lib/network/Dialler.ts"
import { judgeName } from "../../../../../src/lib/network/model/judge.ts"
import { parseHostRules } from "../../../../../src/lib/network/model/policy.ts"
import { oncePermissions } from "../../../../../src/lib/network/once.ts"
import { describeOpen, forbiddenBy } from "../../../../../src/workspace/residents/network/open.ts"
import { serveRequests } from "../../../../../src/workspace/residents/network/serve.ts"
import { nothingGranted } from "../../../../../src/workspace/residents/policy/policy.ts"
import { askingChannel, connectingOf, egressRules } from "../../../../support/network/connecting.ts"

const NAME = "b.test"
const listed = egressRules({ allowHosts: ["a.test"] })

/** A guest with the permission for one connection to `b.test:443`, whose requests a test makes. The test ends each dialling. */
const world = Effect.gen(function*() {
  const told: Array<string> = []
  const dialling: Array<(exit: Exit.Exit<Dialled, DialRefused>) => void> = []
  const once = oncePermissions(() => 0)
  once.add(Result.getOrThrow(parseHostRules(`${NAME}:443`)))
  let rules = listed
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const { channel, take } = askingChannel()
  const { connecting, open, records } = connectingOf({
    dialler: {
      dial: (request) =>
        Effect.suspend(() => {
          const verdict = judgeName(request.rules, request.name!, request.port)
          if (verdict._tag === "Denied") {
            return Effect.fail(new DialRefused({ reason: "denied", detail: verdict.reason, remedy: verdict.remedy }))
          }
          const ended = Deferred.makeUnsafe<Dialled, DialRefused>()
          dialling.push((exit) => Deferred.doneUnsafe(ended, exit))
          return Deferred.await(ended)
        }),
      resolve: (request) => {
        const verdict = judgeName(request.rules, request.name)
        return Effect.succeed(
          verdict._tag === "Denied"
            ? { answer: { _tag: "NoSuchName" as const }, denied: verdict }
            : { answer: { _tag: "Address" as const }, denied: undefined }
        )
      }
    },
    rules: () => rules,
    once
  })
  yield* Scope.provide(serveRequests(channel, connecting), scope)
  yield* Effect.yieldNow
  const turns = Effect.repeat(Effect.yieldNow, { times: 20 })
  const ask = (port = 443) => {
    const request: ConnectRequest = {
      _tag: "Connect",
      name: NAME,
      address: "198.18.0.9",
      port,
      acceptNow: () => {
        told.push("accept")
        return Result.succeed({ socket: Effect.never, release: () => {} })
      },
      refuse: Effect.sync(() => void told.push("refuse")),
      withdrawn: Effect.never,
      onWithdrawn: () => {}
    }
    take(request)
    return turns
  }
  const lookUp = Effect.gen(function*() {
    let said: DnsAnswer["_tag"] | undefined
    take({
      _tag: "Resolve",
      name: NAME,
      type: TYPE_A,
      answer: ({ _tag }) => Effect.sync(() => (said = _tag)),
      withdrawn: Effect.never
    })
    yield* turns
    return said
  })
  const end = (at: number, exit: Exit.Exit<Dialled, DialRefused>) =>
    Effect.suspend(() => {
      dialling[at]!(exit)
      return turns
    })
  return {
    ask,
    lookUp,
    told,
    open,
    once,
    records,
    dialling,
    set: (next: typeof rules) => (rules = next),
    connected: (at: number) =>
      end(
        at,
        Exit.succeed({ socket: new net.Socket().on("error", () => {}), address: "203.0.113.1", viaProxy: false })
      ),
    failed: (at: number) =>
      end(at, Exit.fail(new DialRefused({ reason: "refused", detail: "no server", remedy: undefined }))),
    close: Scope.close(scope, Exit.void)
  }
})

const DENIED = "no rule allows the name"

describe("a connection by a permission", () => {
  it.effect("one connection is made, the next is denied, and the log tells which one used the permission", () =>
    Effect.gen(function*() {
      const { ask, close, connected, lookUp, open, records, told } = yield* world
      assert.strictEqual(yield* lookUp, "Address")
      yield* ask(80)
      yield* ask()
      yield* connected(0)
      yield* ask()
      assert.deepStrictEqual(told, ["refuse", "accept", "refuse"])
      assert.strictEqual(yield* lookUp, "NoSuchName")
      assert.deepStrictEqual([...open].map(describeOpen).map(({ host, once }) => [host, once]), [[NAME, true]])
      assert.isTrue([...open][0]?.isInspected)
      yield* close
      assert.deepStrictEqual(
        records.map(({ kind, once, outcome, port, reason }) => [kind, outcome, port, once ?? reason]),
        [
          ["connection", "denied", 80, DENIED],
          ["connection", "denied", 443, DENIED],
          ["lookup", "denied", undefined, DENIED],
          ["connection", "failed", 443, true]
        ]
      )
    }))

  it.effect("of two connections at once, one gets the permission", () =>
    Effect.gen(function*() {
      const { ask, connected, dialling, told } = yield* world
      yield* Effect.all([ask(), ask()], { concurrency: 2 })
      assert.deepStrictEqual([dialling.length, told], [1, ["refuse"]])
      yield* connected(0)
      assert.deepStrictEqual(told, ["refuse", "accept"])
    }))

  it.effect("a connection that the host could not make leaves the permission", () =>
    Effect.gen(function*() {
      const { ask, connected, failed, lookUp, records, told } = yield* world
      yield* ask()
      assert.strictEqual(yield* lookUp, "NoSuchName")
      yield* failed(0)
      assert.deepStrictEqual(records.map(({ once, reason }) => [once, reason]).at(-1), [undefined, "no server"])
      assert.strictEqual(yield* lookUp, "Address")
      yield* ask()
      yield* connected(1)
      assert.deepStrictEqual(told, ["refuse", "accept"])
    }))

  it.effect("a permission that ends while the host connects allows nothing", () =>
    Effect.gen(function*() {
      const { ask, connected, once, open, records, told } = yield* world
      yield* ask()
      once.clear()
      yield* connected(0)
      assert.deepStrictEqual([told, open.size], [["refuse"], 0])
      assert.strictEqual(records[0]?.reason, "the permission for one connection ended meanwhile")
    }))

  it.effect("the made connection stays under another policy, and a denial by name ends it", () =>
    Effect.gen(function*() {
      const { ask, connected, open, set, told } = yield* world
      yield* ask()
      set(nothingGranted.rules)
      yield* connected(0)
      assert.deepStrictEqual(told, ["accept"])
      const [one] = open
      assert.isUndefined(forbiddenBy(egressRules({ allowHosts: ["c.test"] }), one!))
      assert.strictEqual(forbiddenBy(egressRules({ denyHosts: [NAME] }), one!)?.outcome, "denied")
    }))
})
