import * as RpcTest from "@effect/rpc/RpcTest"
import { Chunk, Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { EnvironmentUnknown } from "../../../src/contract/errors.ts"
import type { RunEvent } from "../../../src/contract/operations/run.ts"
import { makePyroRpcs } from "../../../src/contract/rpc.ts"
import { unfakedHandlers } from "../../support/unfaked-pyro.ts"

const rpcs = makePyroRpcs()
const EVENTS: ReadonlyArray<RunEvent> = [
  { _tag: "Started", bootMs: 1 },
  { _tag: "Output", from: "stdout", bytes: new Uint8Array([0, 255]) },
  { _tag: "Exited", outcome: "exited", status: 0, durations: { totalMs: 1, bootMs: 1, commandMs: 0 } }
]
const unknown = (environment: string) => new EnvironmentUnknown({ environment, known: ["debian:12"] })
const Handlers = rpcs.toLayer({
  ...unfakedHandlers,
  "run": ({ environment }) =>
    environment === "debian:12" ? Stream.fromIterable(EVENTS) : Stream.fail(unknown(environment)),
  "env.inspect": ({ environment }) => unknown(environment),
  "env.prune": () => Effect.succeed({ removed: [], freedBytes: 7 })
})
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

const makeClient = RpcTest.makeClient(rpcs)

/** Calls the group through a client in memory. */
const calling = <A, E>(use: (pyro: Effect.Effect.Success<typeof makeClient>) => Effect.Effect<A, E>) =>
  makeClient.pipe(Effect.flatMap(use), Effect.scoped, Effect.provide(Handlers), Effect.runPromise)

describe("the operations as RPCs", () => {
  it("nests the verbs of a group, as the service does", async () => {
    assert.deepStrictEqual(await calling((pyro) => pyro.env.prune({})), { removed: [], freedBytes: 7 })
  })

  it("streams events with their bytes", async () => {
    const events = await calling((pyro) => Stream.runCollect(pyro.run(REQUEST)))
    assert.deepStrictEqual(Chunk.toReadonlyArray(events), EVENTS)
  })

  it("brings errors back as what they were", async () => {
    const inspected = await calling((pyro) => Effect.flip(pyro.env.inspect({ environment: "x" })))
    const streamed = await calling((pyro) => Effect.flip(Stream.runDrain(pyro.run({ ...REQUEST, environment: "x" }))))
    for (const error of [inspected, streamed]) {
      assert.instanceOf(error, EnvironmentUnknown)
      assert.strictEqual(error.message, unknown("x").message)
    }
  })
})
