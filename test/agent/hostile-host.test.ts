import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { constants } from "node:os"
import { Calls } from "../../src/lib/guest-channel/model/calls.ts"
import {
  AgentMessage,
  encodeFrame,
  FIRST_CALL,
  HostMessage,
  MAX_FRAME_BYTES
} from "../support/guest-channel/guest-wire.ts"
import { samples } from "../unit/lib/guest-channel/samples.ts"
import { Agent, withConfinedAgent } from "./agent.ts"
import { openRaw } from "./raw.ts"

const { EBADMSG, ENOSYS, EOPNOTSUPP } = constants.errno
const fromHost = samples.filter(({ direction, frame }) => direction === "host" && frame.length < 1_000)
const openers =
  (["Spawn", "Read", "Write", "Walk", "Connect", "Compare", "ReadMany", "Change", "Accept", "File", "Watch"] as const)
    .map(
      (name) => HostMessage[name]
    )
const isOpener = (kind: number) => openers.some((opener) => opener.kind === kind)

/** Numbers in [0, below), the same for a seed each time (mulberry32). */
const random = (seed: number) => {
  let state = seed
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

withConfinedAgent("an agent whose host sends what it should not", (it) => {
  it.effect("the agent answers every cut call as malformed", () =>
    Effect.gen(function*() {
      const raw = yield* openRaw
      let stream = 0
      const expected: Array<readonly [stream: number, kind: number]> = []
      for (const sample of fromHost.filter(({ kind }) => kind === HostMessage.Call.kind || isOpener(kind))) {
        const payload = sample.frame.subarray(9, -1)
        for (
          const cut of [Buffer.concat([payload, Buffer.alloc(1)]), ...payload.keys()].map((cut) =>
            typeof cut === "number" ? payload.subarray(0, cut) : cut
          )
        ) {
          stream++
          const number = isOpener(sample.kind) ? stream : FIRST_CALL + stream
          expected.push([number, isOpener(sample.kind) ? AgentMessage.Failed.kind : AgentMessage.Result.kind])
          raw.write(encodeFrame(number, sample.kind, cut))
          // It keeps what failed until told, and has room for 1,024.
          if (isOpener(sample.kind)) raw.send(HostMessage.Release, number, {})
        }
      }
      raw.send(HostMessage.Call, FIRST_CALL, { op: 4, fields: Buffer.alloc(0) })
      yield* raw.frameFor(AgentMessage.Result, FIRST_CALL)
      const seen = raw.frames.slice(1, -1)
      assert.deepStrictEqual(seen.map(({ kind, stream }) => [stream, kind] as const), expected)
      for (const { kind, payload } of seen) {
        const errno = payload.readUInt32BE(0)
        // What would change the machine is not even read, in a local process.
        assert.isTrue(errno === EBADMSG || (errno === EOPNOTSUPP && kind === AgentMessage.Result.kind))
        if (kind === AgentMessage.Failed.kind) assert.strictEqual(payload[4], 9)
      }
    }))

  it.effect("the agent refuses an unknown call", () =>
    Effect.gen(function*() {
      const raw = yield* openRaw
      for (const op of [0, 12, 16, 99, 255]) {
        raw.send(HostMessage.Call, FIRST_CALL + op, { op, fields: Buffer.alloc(0) })
        assert.strictEqual((yield* raw.frameFor(AgentMessage.Result, FIRST_CALL + op)).errno, ENOSYS)
      }
    }))

  it.effect("the agent ignores messages about unknown streams", () =>
    Effect.gen(function*() {
      const raw = yield* openRaw
      raw.send(HostMessage.DataIn, 77, { offset: 0, data: Buffer.from("x") })
      raw.send(HostMessage.EndIn, 77, { offset: 0 })
      raw.send(HostMessage.Ack, 77, { output: 1, offset: 5 })
      raw.send(HostMessage.Signal, 77, { target: 2, signal: 9 })
      raw.send(HostMessage.Resize, 77, { rows: 1, cols: 1 })
      raw.send(HostMessage.Release, 77, {})
      raw.send(HostMessage.Call, FIRST_CALL, { op: 4, fields: Buffer.alloc(0) })
      yield* raw.frameFor(AgentMessage.Result, FIRST_CALL)
      assert.deepStrictEqual(raw.frames.map(({ kind }) => kind), [AgentMessage.Hello.kind, AgentMessage.Result.kind])
    }))

  it.effect("the agent resynchronises after any garbage by a takeover", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 60; seed++) {
        const next = random(seed)
        const garbage = Buffer.from(Array.from({ length: next(seed % 3 === 0 ? 200_000 : 300) }, () => next(256)))
        // Half of them look like frames at first.
        if (seed % 2 === 0) garbage.set([0x50, 0, next(256), next(256)].slice(0, garbage.length))
        const raw = yield* Effect.scoped(Effect.tap(openRaw, ({ write }) => Effect.sync(() => write(garbage))))
        assert.isDefined(raw)
        const { hello } = yield* Effect.scoped(Agent.connect())
        assert.deepStrictEqual(hello.streams, [])
      }
    }))

  it.effect("the agent resynchronises after a frame that is cut near its largest size", () =>
    Effect.gen(function*() {
      const largest = encodeFrame(5, HostMessage.DataIn.kind, Buffer.alloc(MAX_FRAME_BYTES - 10, 0x50))
      for (const cut of [1, 2, 3, 4, 8, 9, 17, 30_000, largest.length - 2, largest.length - 1]) {
        yield* Effect.scoped(Effect.map(openRaw, ({ write }) => write(largest.subarray(0, cut))))
        yield* Effect.scoped(Effect.flatMap(Agent.connect(), ({ call }) => call.ping({ payload: Buffer.alloc(1) })))
      }
    }))

  it.effect("the agent survives frames with any bytes changed", () =>
    Effect.gen(function*() {
      for (let round = 0; round < 150; round++) {
        const next = random(1_000 + round)
        const frames = Array.from({ length: 20 }, () => {
          const sample = fromHost[next(fromHost.length)]
          const frame = Buffer.from(sample?.frame ?? [])
          for (let changes = next(4); changes > 0; changes--) {
            frame[9 + next(Math.max(1, frame.length - 10))] = next(256)
          }
          // A flush of this machine's disks takes as long as they like, and what is behind it waits.
          return frame[8] === HostMessage.Call.kind && frame[9] === Calls.sync.op ? Buffer.alloc(0) : frame
        })
        yield* Effect.scoped(Effect.map(openRaw, ({ write }) => write(Buffer.concat(frames))))
        const { realtimeNs } = yield* Effect.scoped(Effect.flatMap(Agent.connect(), ({ call }) => call.clockGet({})))
          .pipe(
            // One of the changed frames may have told this very call to fail.
            Effect.catchTag("AgentCallFailed", () => Effect.succeed({ realtimeNs: 1n }))
          )
        assert.isTrue(realtimeNs > 0n)
      }
    }), 60_000)
})
