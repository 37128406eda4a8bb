import { assert } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { lapsed } from "../support/until.ts"
import { Agent, until, withAgent } from "./agent.ts"
import { hashOutput, sh, start } from "./run.ts"

// As pyro's own processes have it (src/cli/terminal/process.ts): the young generation would grow by up to 48 MiB meanwhile.
setFlagsFromString("--semi-space-growth-factor=1")

const MIB = 1_048_576
const residentBytes = (pid: number | "self") =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1_024
const writtenBytes = (pid: number) => Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1])

/** Waits until a number no longer changes. */
const settled = (what: string, read: () => number) => {
  let last = -1
  let same = 0
  return until(what, () => {
    const now = read()
    same = now === last ? same + 1 : 0
    last = now
    return same > 20
  })
}

withAgent("output", (it) => {
  it.effect("64 MiB of output arrive whole", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const script = `seq 1 9000000 | head -c ${64 * MIB}`
      const expected = execFileSync("sh", ["-c", `${script} | sha256sum`], { encoding: "utf8" }).split(" ")[0]
      const { bytes, hash } = yield* Effect.scoped(Effect.flatMap(start(channel, ["sh", "-c", script]), hashOutput))
      assert.deepStrictEqual([bytes, hash], [64 * MIB, expected])
    }))

  it.effect("unread output blocks its process and takes bounded memory on both sides", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { pid } = yield* Agent
      const window = 4 * MIB
      const before = { host: residentBytes("self"), agent: residentBytes(pid) }
      const process = yield* start(channel, ["yes"], { windowBytes: window })
      yield* settled("yes blocks", () => writtenBytes(process.pid))
      assert.isAtMost(writtenBytes(process.pid), window + 2 * MIB)
      assert.isBelow(residentBytes("self") - before.host, 32 * MIB)
      assert.isBelow(residentBytes(pid) - before.agent, 32 * MIB)
    }))

  it.effect("output for a slow reader arrives whole in bounded memory", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { pid } = yield* Agent
      const readSlowly = (size: number) =>
        Effect.gen(function*() {
          const before = { host: residentBytes("self"), agent: residentBytes(pid) }
          const process = yield* start(channel, ["sh", "-c", `yes | head -c ${size}`])
          let bytes = 0
          let most = before
          yield* Stream.runForEach(process.output, (piece) =>
            Effect.promise(() => lapsed(1)).pipe(Effect.map(() => {
              bytes += piece.bytes.length
              most = {
                host: Math.max(most.host, residentBytes("self")),
                agent: Math.max(most.agent, residentBytes(pid))
              }
            })))
          assert.strictEqual(bytes, size)
          return { host: most.host - before.host, agent: most.agent - before.agent }
        })
      // The first of a process takes compiled code and a larger heap, whatever is read.
      yield* readSlowly(16 * MIB)
      const grown = yield* readSlowly(64 * MIB)
      assert.isBelow(grown.agent, 32 * MIB)
      assert.isBelow(grown.host, 32 * MIB)
    }))

  it.effect("unread output does not delay other streams", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const stuck = yield* Effect.forEach(Array.from({ length: 5 }), () => start(channel, ["yes"]))
      yield* Effect.forEach(stuck, ({ pid }) => settled("it blocks", () => writtenBytes(pid)))
      assert.strictEqual((yield* sh(channel, "echo through")).stdout, "through\n")
      const large = yield* Effect.flatMap(start(channel, ["sh", "-c", `yes | head -c ${8 * MIB}`]), hashOutput)
      assert.strictEqual(large.bytes, 8 * MIB)
      yield* channel.call.ping({ payload: Buffer.alloc(0) })
    }))

  it.effect("output continues when its reader continues", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const process = yield* start(channel, ["sh", "-c", `yes | head -c ${6 * MIB}; exit 4`])
      const goOn = yield* Deferred.make<void>()
      let bytes = 0
      const reading = yield* Effect.forkChild(Stream.runForEach(process.output, (piece) => {
        bytes += piece.bytes.length
        return Deferred.await(goOn)
      }))
      const asked = yield* sh(channel, "echo meanwhile")
      assert.strictEqual(asked.stdout, "meanwhile\n")
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(reading)
      assert.deepStrictEqual([bytes, (yield* process.exit).code], [6 * MIB, 4])
    }))
})
