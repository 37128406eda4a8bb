import { it } from "@effect/vitest"
import { Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import { assert, describe } from "vitest"
import { performDemo, tour } from "../../../src/cli/demo.ts"
import { Terminal } from "../../../src/cli/terminal/Terminal.ts"
import { mapCalls, Pyro } from "../../../src/contract/rows/Pyro.ts"

describe("pyro demo", () => {
  const steps = tour("a", "b").length

  /** What the tour writes if each of its commands takes so many seconds. */
  const told = (seconds: number) =>
    Effect.gen(function*() {
      const out = yield* Ref.make("")
      const err = yield* Ref.make("")
      const writing = (to: Ref.Ref<string>) => (data: Uint8Array | string) =>
        Ref.update(to, (text) => text + String(data))
      const terminal = { stdoutIsTerminal: false, stderrIsTerminal: false, colour: false }
      const demo = yield* performDemo([], undefined, () => Effect.as(Effect.sleep(`${seconds} seconds`), 0)).pipe(
        Effect.provideService(
          Terminal,
          {
            ...terminal,
            writeStdout: writing(out),
            writeStderr: writing(err)
          } as unknown as Terminal["Service"]
        ),
        Effect.provideService(Pyro, mapCalls(() => () => Effect.void)),
        Effect.forkChild
      )
      yield* TestClock.adjust(`${seconds * steps} seconds`)
      assert.strictEqual(yield* Fiber.join(demo), 0)
      return { out: yield* Ref.get(out), err: yield* Ref.get(err) }
    })

  it.effect("each step says which of how many it is", () =>
    Effect.gen(function*() {
      const { err, out } = yield* told(1)
      assert.deepStrictEqual(
        [...out.matchAll(/^# step (\d+) of (\d+): /gm)].map(([, at, of]) => [Number(at), Number(of)]),
        Array.from({ length: steps }, (_, at) => [at + 1, steps])
      )
      assert.strictEqual(err, "")
    }))

  it.effect("a step that takes long says every ten seconds that it goes on", () =>
    Effect.gen(function*() {
      const { err } = yield* told(25)
      const lines = err.trim().split("\n")
      assert.deepStrictEqual(lines.slice(0, 3), [
        `pyro: step 1 of ${steps} goes on after 10 s`,
        `pyro: step 1 of ${steps} goes on after 20 s`,
        `pyro: step 2 of ${steps} goes on after 10 s`
      ])
      assert.lengthOf(lines, 2 * steps)
    }))
})
