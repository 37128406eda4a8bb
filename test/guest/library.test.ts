import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule, Schema, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { Pyro } from "../../src/contract/rows/Pyro.ts"
import { run as runOperation } from "../../src/contract/rows/run.ts"
import { layer as pyroLayer } from "../../src/daemon/layer.ts"
import { Paths } from "../../src/system/files/Paths.ts"

import { guestServices, testEnvironment } from "../support/guest.ts"

const payload = (fields: Readonly<Record<string, unknown>>) =>
  Schema.decodeUnknownSync(runOperation.payload())({
    environment: testEnvironment,
    memory_mib: 256,
    ...fields
  })

const left = Effect.map(Paths, ({ memoryDir, stateDir }) => [
  ...fs.readdirSync(memoryDir),
  ...(fs.existsSync(path.join(stateDir, "vms")) ? fs.readdirSync(path.join(stateDir, "vms")) : [])
])

layer(Layer.provideMerge(pyroLayer, guestServices), { excludeTestServices: true, timeout: "10 minutes" })(
  "pyro from a program",
  (it) => {
    it.effect("the VM of a run ends with its stream and not with the program", () =>
      Effect.gen(function*() {
        const pyro = yield* Pyro
        for (let round = 0; round < 3; round++) {
          yield* Stream.runDrain(pyro.run(payload({ command: ["true"] })))
          assert.deepStrictEqual(yield* left, [])
        }
      }))

    it.effect("interrupting a run ends its VM", () =>
      Effect.gen(function*() {
        const pyro = yield* Pyro
        const running = yield* Effect.forkChild(Stream.runDrain(pyro.run(payload({ command: ["sleep", "300"] }))))
        yield* Effect.repeat(left, { until: (found) => found.length > 1, schedule: Schedule.spaced("10 millis") })
        yield* Fiber.interrupt(running)
        assert.deepStrictEqual(yield* left, [])
      }))

    it.effect("taking only the first output of a run ends the rest", () =>
      Effect.gen(function*() {
        const pyro = yield* Pyro
        const first = yield* pyro.run(payload({ command: ["sh", "-c", "echo one; sleep 300"] })).pipe(
          Stream.filter((event) => event._tag === "Output"),
          Stream.runHead
        )
        assert.strictEqual(first._tag, "Some")
        assert.deepStrictEqual(yield* left, [])
      }))

    it.effect("failures of a run are values of the error family", () =>
      Effect.gen(function*() {
        const pyro = yield* Pyro
        const failure = yield* Effect.flip(Stream.runDrain(pyro.run(payload({ command: ["no-such-command"] }))))
        assert.strictEqual(failure._tag, "CommandNotFound")
        assert.strictEqual(
          (yield* Effect.flip(Stream.runDrain(pyro.run(payload({ environment: "nope", command: ["true"] })))))._tag,
          "EnvironmentUnknown"
        )
        assert.deepStrictEqual(yield* left, [])
      }))
  }
)
