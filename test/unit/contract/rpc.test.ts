import { Effect, Layer, Ref, type Scope, Stream } from "effect"
import * as RpcTest from "effect/rpc/RpcTest"
import { assert, describe, it } from "vitest"
import { EnvironmentUnknown, type PyroError } from "../../../src/contract/errors/errors.ts"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import type { RunEvent } from "../../../src/contract/rows/run.ts"
import { streamingRows } from "../../../src/contract/wire/event-rpcs.ts"
import { makePyroRpcs } from "../../../src/contract/wire/rpc.ts"
import { handlers } from "../../../src/daemon/handlers.ts"
import { makeRequestTracker, type RequestTracker } from "../../../src/daemon/request-tracker.ts"
import { firstEvents } from "../../../src/sdk/first-events.ts"
import { type Client, ConnectionLost, failureOf } from "../../../src/sdk/session.ts"
import { someDisk } from "../../support/disk-usage.ts"
import { unfakedPyro } from "../../support/unfaked-pyro.ts"

const EVENTS: ReadonlyArray<RunEvent> = [
  { _tag: "Started", bootMs: 1 },
  { _tag: "Output", from: "stdout", bytes: new Uint8Array([0, 255]) },
  { _tag: "Exited", outcome: "exited", status: 0, durations: { totalMs: 1, bootMs: 1, commandMs: 0 } }
]
const unknown = (environment: string) => new EnvironmentUnknown({ environment, known: ["debian:12"] })
const REQUEST = {
  environment: "debian:12",
  command: ["true"],
  env: {},
  cwd: "/workspace",
  user: "root",
  vcpuCount: 1,
  memoryMib: 1024,
  tty: false,
  rows: 24,
  cols: 80,
  maxBytes: 0
}

/** In a `slow` environment the command takes longer than its beginning is waited for. */
const eventsOf = (environment: string): Stream.Stream<RunEvent, PyroError> =>
  environment === "debian:12"
    ? Stream.fromIterable(EVENTS)
    : environment === "slow"
    ? Stream.concat(
      Stream.make(EVENTS[0]!),
      Stream.unwrap(Effect.delay(Effect.succeed(Stream.fromIterable(EVENTS.slice(1))), 100))
    )
    : Stream.fail(unknown(environment))

const Served = Layer.succeed(Pyro, {
  ...unfakedPyro,
  run: ({ environment }) => eventsOf(environment),
  env: {
    ...unfakedPyro.env,
    inspect: ({ environment }) => unknown(environment),
    prune: () => Effect.succeed({ removed: [], freedBytes: 7, disk: someDisk })
  }
})

/** What a daemon serves that has just decided to leave, or has not. */
const served = (requests: RequestTracker) =>
  Layer.unwrap(
    Effect.map(Ref.make(false), (leaving) => handlers({ requests, leaving, hasSpan: () => true }))
  ).pipe(Layer.provide(Served))
const Handlers = served(Effect.runSync(makeRequestTracker))

const makeClient = Effect.map(RpcTest.makeClient(makePyroRpcs()), (client) => client as unknown as Client)

/** Calls the group through a client in memory. */
const calling = <A, E>(use: (pyro: Client) => Effect.Effect<A, E, Scope.Scope>) =>
  makeClient.pipe(Effect.flatMap(use), Effect.scoped, Effect.provide(Handlers), Effect.runPromise)

const run = streamingRows.find(({ name }) => name === "run")!

const asked = (client: Client, environment: string) =>
  Effect.gen(function*() {
    const { events, rest } = yield* firstEvents<RunEvent>(client, run, { ...REQUEST, environment }, {})
    const following = rest === undefined ? [] : Array.from(yield* Stream.runCollect(rest))
    return { events, following }
  })

describe("the operations as RPCs", () => {
  it("the service has the verbs of a group", async () => {
    assert.deepStrictEqual(await calling((pyro) => pyro["env.prune"]({})), {
      removed: [],
      freedBytes: 7,
      disk: someDisk
    })
  })

  it("a short operation returns all its events with their bytes in one answer", async () => {
    assert.deepStrictEqual(await calling((pyro) => asked(pyro, "debian:12")), { events: EVENTS, following: [] })
  })

  it("a longer operation returns its events in two steps", async () => {
    assert.deepStrictEqual(await calling((pyro) => asked(pyro, "slow")), {
      events: EVENTS.slice(0, 1),
      following: EVENTS.slice(1)
    })
  })

  it("errors cross RPC unchanged", async () => {
    const inspected = await calling((pyro) => Effect.flip(pyro["env.inspect"]({ environment: "x" })))
    const begun = await calling((pyro) => Effect.flip(asked(pyro, "x")))
    for (const error of [inspected, begun]) {
      assert.instanceOf(error, EnvironmentUnknown)
      assert.strictEqual((error as EnvironmentUnknown).message, unknown("x").message)
    }
  })

  it("an exiting daemon refuses every request and says that none was started", async () => {
    const requests = Effect.runSync(makeRequestTracker)
    requests.close()
    const failures = await makeClient.pipe(
      Effect.flatMap((client) =>
        Effect.all([
          Effect.flip(asked(client, "debian:12")),
          client["env.prune"]({}).pipe(Effect.catchCause((cause) => Effect.failCause(failureOf(cause))), Effect.flip)
        ])
      ),
      Effect.scoped,
      Effect.provide(served(requests)),
      Effect.runPromise
    )
    assert.deepStrictEqual(failures, [new ConnectionLost(false), new ConnectionLost(false)])
  })
})
