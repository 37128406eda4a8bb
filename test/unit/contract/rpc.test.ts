import { Effect, Redacted, Schema, type Scope, Stream } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcSchema from "effect/rpc/RpcSchema"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { assert, describe, it } from "vitest"
import { EnvironmentUnknown } from "../../../src/contract/errors/errors.ts"
import { noNetwork } from "../../../src/contract/rows/network-ceiling.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import type { ErrorOf } from "../../../src/contract/rows/operations.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { type RunEvent, RunPayload } from "../../../src/contract/rows/run.ts"
import { named } from "../../../src/contract/text/names.ts"
import { callerProject } from "../../../src/contract/wire/caller-project.ts"
import { idsOfClient, mintedHeaders } from "../../../src/contract/wire/minted-ids.ts"
import { makePyroRpcs, type StreamingRow } from "../../../src/contract/wire/rpcs.ts"
import { layerSerialization } from "../../../src/contract/wire/serialization.ts"
import { makeRequestTracker, type RequestTracker } from "../../../src/daemon/server/request-tracker.ts"
import { ConnectionLost } from "../../../src/sdk/connection/failures.ts"
import type { Connection } from "../../../src/sdk/connection/over.ts"
import { serveAndConnect } from "../../support/daemon/served-pyro.ts"
import { eventsOf } from "../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { someDisk } from "../../support/disk/disk-usage.ts"

const EVENTS: ReadonlyArray<RunEvent> = [
  { _tag: "Started", bootMs: 1 },
  { _tag: "Output", from: "stdout", bytes: new Uint8Array([0, 255]) },
  { _tag: "Exited", outcome: "exited", status: 0, durations: { totalMs: 1, bootMs: 1, commandMs: 0 } }
]
const unknown = (environment: string) => new EnvironmentUnknown({ environment, known: ["debian:12"], similar: [] })
const REQUEST = Schema.decodeSync(RunPayload())({ environment: "debian:12", command: ["true"] })

/** In a `slow` environment the command takes longer. */
const runIn = (environment: string): Stream.Stream<RunEvent, ErrorOf<"run">> =>
  environment === "debian:12"
    ? Stream.fromIterable(EVENTS)
    : environment === "slow"
    ? Stream.concat(
      Stream.make(EVENTS[0]!),
      Stream.unwrap(Effect.delay(Effect.succeed(Stream.fromIterable(EVENTS.slice(1))), 100))
    )
    : Stream.fail(unknown(environment))

const seen: { payload?: unknown; caller?: unknown; ids?: unknown } = {}

const service: PyroService = {
  ...unfakedPyro,
  run: (payload) =>
    Stream.unwrap(Effect.gen(function*() {
      seen.payload = payload
      seen.caller = yield* callerProject
      seen.ids = yield* idsOfClient
      return runIn(payload.environment)
    })),
  env: {
    ...unfakedPyro.env,
    inspect: ({ environment }) => unknown(environment),
    prune: () => Effect.succeed({ removed: [], freedBytes: 7, disk: someDisk })
  }
}

/** Calls operations over a socket. */
const calling = <A, E>(use: (client: Connection) => Effect.Effect<A, E, Scope.Scope>, requests?: RequestTracker) =>
  serveAndConnect(service, requests).pipe(
    Effect.flatMap(({ client }) => use(client)),
    Effect.scoped,
    Effect.runPromise
  )

const run = operations.find(({ name }) => name === "run") as StreamingRow

const asked = (client: Connection, environment: string) =>
  Stream.runCollect(eventsOf(client, run, { ...REQUEST, environment }))

describe("the operations as RPCs", () => {
  it("each operation has a binary form: its payload, its answers and its failures", () => {
    const { codecFor } = Effect.runSync(Effect.provide(RpcSerialization.RpcSerialization, layerSerialization()))
    const { requests } = makePyroRpcs()
    assert.isAbove(requests.size, operations.length)
    for (const rpc of requests.values()) {
      const { payloadSchema, successSchema } = rpc as unknown as Rpc.AnyWithProps
      const answer = RpcSchema.isStreamSchema(successSchema) ? successSchema.success : successSchema
      for (const one of [payloadSchema, answer, Rpc.exitSchema(rpc)]) {
        assert.doesNotThrow(() => codecFor(one), rpc._tag)
      }
    }
  })

  it("the service has the verbs of a group", async () => {
    assert.deepStrictEqual(await calling(({ ask }) => ask("env.prune", {})), {
      removed: [],
      freedBytes: 7,
      disk: someDisk
    })
  })

  it.each(["debian:12", "slow"])("an operation in %s returns all its events with their bytes", async (environment) => {
    assert.deepStrictEqual(await calling((client) => asked(client, environment)), [...EVENTS])
  })

  it("errors cross RPC unchanged", async () => {
    const inspected = await calling(({ ask }) => Effect.flip(ask("env.inspect", { environment: "x" })))
    const begun = await calling((client) => Effect.flip(asked(client, "x")))
    for (const error of [inspected, begun]) {
      assert.instanceOf(error, EnvironmentUnknown)
      assert.strictEqual((error as EnvironmentUnknown).message, unknown("x").message)
    }
  })

  it("an exiting daemon refuses every request and says that none was started", async () => {
    const requests = Effect.runSync(makeRequestTracker)
    requests.close()
    const failures = await calling(
      (client) => Effect.all([Effect.flip(asked(client, "debian:12")), Effect.flip(client.ask("env.prune", {}))]),
      requests
    )
    assert.deepStrictEqual(failures, [
      new ConnectionLost({ mayBeDone: false }),
      new ConnectionLost({ mayBeDone: false })
    ])
  })

  it("a request carries its caller, minted ids, odd names and the text of secrets, which both sides have wrapped", async () => {
    const caller = { project: "/p", all: true, networkCeiling: noNetwork, places: { reading: ["/r"], writing: [] } }
    const payload = {
      ...REQUEST,
      env: named([["__proto__", "x"], ["constructor", "y"]]),
      secrets: named([["TOKEN", Redacted.make("s3cret-value")]])
    }
    await calling((client) =>
      Stream.runDrain(eventsOf(client, run, payload, mintedHeaders(["ws-1", "ws-2"]))).pipe(
        Effect.provideService(callerProject, caller)
      )
    )
    const got = seen.payload as typeof payload
    assert.deepStrictEqual(Object.entries(got.env), [["__proto__", "x"], ["constructor", "y"]])
    assert.isTrue(Redacted.isRedacted(got.secrets["TOKEN"]))
    assert.strictEqual(Redacted.value(got.secrets["TOKEN"]!), "s3cret-value")
    assert.notInclude(JSON.stringify(got), "s3cret")
    assert.deepStrictEqual(seen.ids, ["ws-1", "ws-2"])
    assert.deepInclude(seen.caller as object, { project: "/p", all: true, places: caller.places })
  })
})
