import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Stream } from "effect"
import { AgentMessage, HostMessage, TAKEOVER_FILLER_BYTES } from "../../../support/guest-channel/guest-wire.ts"
import { frameOf, Peer } from "./peer.ts"

const idOf = (byte: number) => Buffer.alloc(16, byte)
const state = (stream: number, fields: Partial<ReturnType<typeof running>> = {}) =>
  frameOf(AgentMessage.State, stream, { ...running(stream), ...fields })
const running = (stream: number) => ({
  id: idOf(stream) as Uint8Array,
  opener: HostMessage.Spawn.kind,
  phase: 1,
  pid: 40 + stream,
  window: 65_536,
  inOffset: 5,
  acked1: 100,
  acked2: 0,
  end: undefined as { readonly tag: number; readonly payload: Uint8Array } | undefined
})
const textOf = (output: ReadonlyArray<{ readonly bytes: Uint8Array }>) =>
  Buffer.concat(output.map(({ bytes }) => bytes)).toString()

describe("taking over a channel", () => {
  it.live("a takeover sends filler before its hello, and a connection to a restored guest sends none", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      yield* peer.connect({ takeover: true })
      const sent = Buffer.concat(peer.host.writes)
      assert.isTrue(sent.subarray(0, TAKEOVER_FILLER_BYTES).every((byte) => byte === 0))
      assert.strictEqual(sent.length, TAKEOVER_FILLER_BYTES + 35)
      const restored = new Peer()
      yield* restored.connect()
      assert.strictEqual(Buffer.concat(restored.host.writes).length, 35)
    }))

  it.live("a takeover finds the hello after the rest of an older connection, wherever that was cut", () =>
    Effect.gen(function*() {
      const left = frameOf(AgentMessage.DataOut, 9, { output: 1, offset: 0, data: Buffer.alloc(300, 0x81) })
      const old = frameOf(AgentMessage.Hello, 0, {
        nonce: idOf(7),
        version: 1,
        build: "old",
        nextStream: 1,
        streams: 0
      })
      for (let cut = 0; cut <= left.length; cut++) {
        const peer = new Peer()
        peer.prelude = Buffer.concat([old, left.subarray(cut), left.subarray(0, left.length - cut)])
        const channel = yield* Effect.scoped(peer.connect())
        assert.strictEqual(channel.hello.build, "test")
      }
    }))

  it.live("a takeover continues running processes from their acknowledged output", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.hello = { nextStream: 9, streams: 2 }
      peer.following = [
        state(3),
        state(4),
        frameOf(AgentMessage.AckIn, 3, { offset: 2 }),
        frameOf(AgentMessage.DataOut, 3, { output: 1, offset: 100, data: Buffer.from("0123456789") }),
        frameOf(AgentMessage.EndOut, 3, { output: 1, offset: 110 }),
        frameOf(AgentMessage.EndOut, 3, { output: 2, offset: 0 }),
        frameOf(AgentMessage.Exited, 3, { how: 1, code: 9, durationNs: 0n })
      ]
      const channel = yield* peer.connect({ takeover: true })
      assert.deepStrictEqual(channel.hello.streams.map(({ id, phase, pid }) => [id, phase, pid]), [
        ["03".repeat(16), "running", 43],
        ["04".repeat(16), "running", 44]
      ])
      const process = Option.getOrThrow(yield* channel.adopt("03".repeat(16), { stdout: 104, stderr: 0 }))
      assert.deepStrictEqual([process.pid, process.stdinOffset], [43, 5])
      assert.strictEqual(textOf(yield* Stream.runCollect(process.output)), "456789")
      assert.strictEqual((yield* process.exit)._tag, "signaled")
      assert.isTrue(Option.isNone(yield* channel.adopt("05".repeat(16))))

      const other = Option.getOrThrow(yield* channel.adopt("04".repeat(16)))
      yield* Effect.forkChild(other.writeStdin(Buffer.from("more")))
      peer.send(AgentMessage.AckIn, 4, { offset: 5 })
      assert.deepStrictEqual((yield* peer.received(HostMessage.DataIn)).map(({ offset, stream }) => [stream, offset]), [
        [4, 5]
      ])
      // Numbers go on where the generation stands, also behind streams that are gone.
      yield* Effect.forkChild(channel.spawn({ argv: ["true"] }))
      assert.deepStrictEqual((yield* peer.received(HostMessage.Spawn)).map(({ stream }) => stream), [9])
    }))

  it.live("a takeover acknowledges output that the log has, without delivering it", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.hello = { nextStream: 4, streams: 1 }
      peer.following = [
        state(3, { acked1: 0 }),
        frameOf(AgentMessage.DataOut, 3, { output: 1, offset: 0, data: Buffer.alloc(65_500) })
      ]
      const channel = yield* peer.connect({ takeover: true })
      const process = Option.getOrThrow(yield* channel.adopt("03".repeat(16), { stdout: 70_000, stderr: 0 }))
      const reading = yield* Effect.forkChild(Stream.runHead(process.output))
      assert.deepStrictEqual((yield* peer.received(HostMessage.Ack)).map(({ offset }) => offset), [65_500])
      peer.send(AgentMessage.DataOut, 3, { output: 1, offset: 65_500, data: Buffer.from("x".repeat(4_500) + "new") })
      const first = Option.getOrThrow(yield* Fiber.join(reading))
      assert.deepStrictEqual([first.offset, Buffer.from(first.bytes).toString()], [70_000, "new"])
    }))

  it.live("a takeover ends reads and writes without a host, and each process is adopted once", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.hello = { nextStream: 9, streams: 2 }
      peer.following = [state(3, { opener: HostMessage.Read.kind }), state(4)]
      const channel = yield* peer.connect({ takeover: true })
      assert.deepStrictEqual((yield* peer.received(HostMessage.Release)).map(({ stream }) => stream), [3])
      assert.isTrue(Option.isSome(yield* channel.adopt("04".repeat(16))))
      assert.isTrue(Option.isNone(yield* channel.adopt("04".repeat(16))))
    }))

  it.live("a takeover over a closed socket fails at once", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.host.destroy()
      yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
      assert.include((yield* Effect.flip(peer.connect())).message, "its socket closed")
    }))

  it.live("a takeover ends unknown streams", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.hello = { nextStream: 9, streams: 2 }
      peer.following = [
        state(3),
        state(4),
        frameOf(AgentMessage.DataOut, 3, { output: 1, offset: 100, data: Buffer.from("x") })
      ]
      const channel = yield* peer.connect({ takeover: true, keep: (id) => id === "04".repeat(16) })
      assert.deepStrictEqual(channel.hello.streams.map(({ number }) => number), [4])
      assert.deepStrictEqual((yield* peer.received(HostMessage.Release)).map(({ stream }) => stream), [3])
    }))

  const badStates: ReadonlyArray<
    readonly [name: string, hello: Peer["hello"], following: ReadonlyArray<Buffer>, told: RegExp]
  > = [
    ["another version", { version: 2 }, [], /speaks version 2 of the protocol, this pyro 1/],
    ["more streams than an agent has", { streams: 3_073 }, [], /3073 streams/],
    ["a stream that cannot have been", { nextStream: 3, streams: 1 }, [state(3)], /stream 3 where 3 comes next/],
    ["one stream twice", { nextStream: 9, streams: 2 }, [state(3), state(3)], /named twice/],
    ["one id twice", { nextStream: 9, streams: 2 }, [state(3), state(4, { id: idOf(3) })], /named twice/],
    ["a stream that nothing opens", { nextStream: 9, streams: 1 }, [state(3, { opener: 4 })], /opened by kind 0x4/],
    ["an end that is none", { nextStream: 9, streams: 1 }, [state(3, { phase: 2 })], /does not fit its end/],
    [
      "an end of no known sort",
      { nextStream: 9, streams: 1 },
      [state(3, { phase: 2, end: { tag: 0x85, payload: Buffer.alloc(0) } })],
      /ended by a frame of kind 0x85/
    ],
    [
      "windows to fill the host's memory",
      { nextStream: 9, streams: 1 },
      [state(3, { window: 0xffff_ffff })],
      /windows beyond/
    ],
    [
      "other frames among the states",
      { nextStream: 9, streams: 1 },
      [frameOf(AgentMessage.Event, 0, { level: 3, text: "" })],
      /among the states/
    ]
  ]
  for (const [name, hello, following, told] of badStates) {
    it.live(`a takeover is refused to a guest that claims ${name}`, () =>
      Effect.gen(function*() {
        const peer = new Peer()
        peer.hello = hello
        peer.following = following
        assert.match((yield* Effect.flip(peer.connect({ takeover: true }))).detail, told)
      }))
  }
})
