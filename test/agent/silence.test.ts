import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { Agent, withAgent } from "./agent.ts"

/** Stops the agent while `use` runs, as a debugger or a frozen control group does. */
const stopped = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Agent, ({ pid }) =>
    Effect.acquireUseRelease(
      Effect.sync(() => process.kill(pid, "SIGSTOP")),
      () => use,
      () => Effect.sync(() => process.kill(pid, "SIGCONT"))
    ))

withAgent("an agent that is stopped", (it) => {
  it.effect("a stopped agent fails requests as silent and serves later ones when it continues", () =>
    Effect.gen(function*() {
      const { folder } = yield* Agent
      const channel = yield* Agent.connect({ silenceMs: 1_000 })
      const file = { root: folder, path: "file" }
      const write = channel.write({ ...file, mode: 0o644 }, Stream.make(Buffer.from("text")))
      const failures = yield* stopped(
        Effect.all([Effect.flip(write), Effect.flip(Stream.runDrain(channel.walk({ root: folder, path: "." })))], {
          concurrency: 2
        })
      )
      assert.deepStrictEqual(failures.map((failure) => "code" in failure && failure.code), [
        "guest_silent",
        "guest_silent"
      ])
      yield* write
      assert.strictEqual(fs.readFileSync(path.join(folder, "file"), "utf8"), "text")
      assert.isFalse(channel.isSilent())
    }))

  it.effect("a stopped agent's commands run on, and their output is whole", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect({ silenceMs: 1_000 })
      const env = yield* Agent.environment
      const process = yield* channel.spawn({ argv: ["sh", "-c", "read line; echo $line"], env, stdin: true })
      const failure = yield* stopped(Effect.flip(channel.call.clockGet({})))
      assert.strictEqual("code" in failure && failure.code, "guest_silent")
      yield* process.writeStdin(Buffer.from("still here\n"))
      const printed = yield* Stream.runFold(
        process.output,
        () => "",
        (text, { bytes }) => text + Buffer.from(bytes).toString()
      )
      assert.deepStrictEqual([printed, (yield* process.exit).code], ["still here\n", 0])
    }))
})

withAgent("an agent that has a slow request", (it) => {
  it.effect("a busy agent answers probes, so that requests are not given up", () =>
    Effect.gen(function*() {
      const { folder } = yield* Agent
      const channel = yield* Agent.connect({ silenceMs: 1_000 })
      // The content comes three times the limit later.
      const content = Stream.concat(
        Stream.make(Buffer.from("a")),
        Stream.fromEffect(Effect.delay(Effect.succeed(Buffer.from("b")), "3 seconds"))
      )
      yield* channel.write({ root: folder, path: "slow", mode: 0o644 }, content)
      assert.strictEqual(fs.readFileSync(path.join(folder, "slow"), "utf8"), "ab")
    }))
})
