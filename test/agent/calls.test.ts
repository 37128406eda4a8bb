import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync, statSync, symlinkSync } from "node:fs"
import { Calls } from "../../src/lib/guest-channel/model/calls.ts"
import { Agent, withAgent } from "./agent.ts"
import { collect, sh } from "./run.ts"

withAgent("calls", (it) => {
  it.effect("agent calls do what they say", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const { call } = channel
      const payload = Buffer.from("any bytes \0\xff")
      assert.isTrue(Buffer.from(yield* call.ping({ payload })).equals(payload))
      assert.strictEqual((yield* call.ping({ payload: Buffer.alloc(65_000, 1) })).length, 65_000)
      yield* call.mkdir({ path: `${folder}/a/b/c`, mode: 0o750 })
      assert.strictEqual(statSync(`${folder}/a/b/c`).mode & 0o7777, 0o750)
      symlinkSync("b/c", `${folder}/a/link`)
      for (const content of ["longer at first", "short"]) {
        yield* call.writeSmall({ path: `${folder}/a/link/file`, mode: 0o640, content: Buffer.from(content) })
        assert.strictEqual(readFileSync(`${folder}/a/b/c/file`, "utf8"), content)
      }
      assert.strictEqual(statSync(`${folder}/a/b/c/file`).mode & 0o7777, 0o640)
      const beforeMs = Date.now()
      const { realtimeNs } = yield* call.clockGet({})
      const realtimeMs = Number(realtimeNs / 1_000_000n)
      assert.isTrue(realtimeMs >= beforeMs - 1 && realtimeMs <= Date.now() + 1, `${realtimeMs - beforeMs}`)
      yield* call.sync({ dropCaches: 0 })
    }))

  it.effect("a failed agent call names the error and its object", () =>
    Effect.gen(function*() {
      const { call } = yield* Agent.connect()
      const content = Buffer.from("never written")
      const missing = yield* Effect.flip(call.writeSmall({ path: "/no/such\npath", mode: 0o644, content }))
      assert.strictEqual(missing.message, "the guest's agent could not write_small: ENOENT (/no/such\\npath)")
      const refused = yield* Effect.flip(call.mkdir({ path: "/dev/null/a", mode: 0o755 }))
      assert.strictEqual(refused._tag, "AgentCallFailed")
      const local = yield* Effect.flip(call.hostname({ name: "never-set" }))
      assert.include(local.message, "EOPNOTSUPP")
    }))

  it.effect("an agent call can be made to fail once", () =>
    Effect.gen(function*() {
      const { call } = yield* Agent.connect()
      yield* call.failNext({ op: Calls.ping.op })
      yield* call.clockGet({})
      assert.include((yield* Effect.flip(call.ping({ payload: Buffer.alloc(1) }))).message, "EIO")
      yield* call.ping({ payload: Buffer.alloc(1) })
    }))

  it.effect("a chain runs all its calls in order before its process starts", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const write = (content: string) =>
        Calls.writeSmall({ path: `${folder}/chain/file`, mode: 0o644, content: Buffer.from(content) })
      const process = yield* channel.spawnAfter(
        [Calls.mkdir({ path: `${folder}/chain`, mode: 0o755 }), write("first"), write("second")],
        { argv: ["/bin/cat", `${folder}/chain/file`] }
      )
      assert.strictEqual((yield* collect(process)).stdout, "second")
      const [pong, clock] = yield* channel.chain([
        Calls.ping({ payload: Buffer.from("x") }),
        Calls.clockGet({})
      ])
      assert.strictEqual(Buffer.from(pong).toString(), "x")
      assert.isTrue(clock.realtimeNs > 0n)
    }))

  it.effect("a chain stops at its first failed call and starts no process", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      yield* channel.call.failNext({ op: Calls.ping.op })
      const failure = yield* Effect.flip(channel.spawnAfter([
        Calls.mkdir({ path: `${folder}/before`, mode: 0o755 }),
        Calls.ping({ payload: Buffer.alloc(0) }),
        Calls.mkdir({ path: `${folder}/after`, mode: 0o755 })
      ], { argv: ["/bin/mkdir", `${folder}/started`] }))
      assert.strictEqual(failure.message, "the guest's agent could not ping: EIO (FAIL_NEXT)")
      // A later call is answered after everything the chain could have done.
      assert.strictEqual((yield* sh(channel, "echo well")).stdout, "well\n")
      assert.deepStrictEqual(["before", "after", "started"].map((name) => existsSync(`${folder}/${name}`)), [
        true,
        false,
        false
      ])
    }))
})
