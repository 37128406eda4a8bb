import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import * as FastCheck from "fast-check"
import type { GuestChannel } from "../../../../src/lib/guest-channel/GuestChannel.ts"
import { AgentMessage, END, FIRST_CALL, HostMessage, MARK } from "../../../support/guest-channel/guest-wire.ts"
import { frameOf, Peer } from "./peer.ts"
import { samples } from "./samples.ts"

const data = (offset: number, bytes: number, output = 1) =>
  frameOf(AgentMessage.DataOut, 1, { output, offset, data: Buffer.alloc(bytes) })
const endOut = (output: number, offset: number) => frameOf(AgentMessage.EndOut, 1, { output, offset })
const exited = (how = 0, code = 0) => frameOf(AgentMessage.Exited, 1, { how, code, durationNs: 0n })
const started = frameOf(AgentMessage.Started, 1, { pid: 9 })
const rawFrame = (length: number, stream: number, kind: number, payload: Buffer, end = END) => {
  const header = Buffer.alloc(9)
  header.writeUInt32BE(MARK * 0x1000000 + length)
  header.writeUInt32BE(stream, 4)
  header[8] = kind
  return Buffer.concat([header, payload, Buffer.of(end)])
}
const nothing = Buffer.alloc(0)

/** What a guest says to a host that has opened stream 1 with a window of 4,096 bytes and made one call. */
const violations: ReadonlyArray<readonly [name: string, says: ReadonlyArray<Buffer>, told: RegExp]> = [
  ["bytes that are no frame", [Buffer.from("HTTP/1.1 200 OK")], /begins with 0x48/],
  ["a frame that claims 4 GiB", [Buffer.from("50ffffff000000018500", "hex")], /claims 16777215 bytes/],
  ["a frame without its end mark", [rawFrame(4, 1, 0x83, Buffer.alloc(4), 0)], /ends with 0x0/],
  ["a frame of unknown kind", [rawFrame(0, 1, 0x77, nothing)], /unknown kind 0x77/],
  ["a payload cut short", [rawFrame(2, 1, 0x83, Buffer.alloc(2))], /a field of 4 bytes where 2 are left/],
  ["a payload with more after it", [rawFrame(5, 1, 0x83, Buffer.alloc(5))], /1 bytes are left over/],
  ["a count beyond the payload", [rawFrame(9, FIRST_CALL, 0x82, Buffer.alloc(9, 0xff))], /a field of 4294967295 bytes/],
  ["a stream nobody opened", [frameOf(AgentMessage.Started, 2, { pid: 1 })], /stream 2, which is not open/],
  ["output before the start", [data(0, 1)], /before it started/],
  ["a second start", [started, started], /started twice/],
  ["output that skips bytes", [started, data(1, 1)], /output at 1 where 0 comes next/],
  ["output sent twice", [started, data(0, 5), data(0, 5)], /output at 0 where 5 comes next/],
  ["output beyond its credit", [started, data(0, 600), data(600, 3_497)], /beyond the credit of 4096/],
  ["output it does not have", [started, data(0, 1, 3)], /output 3/],
  ["output after its end", [started, endOut(1, 0), data(0, 1)], /output after its end/],
  ["an end of output twice", [started, endOut(1, 0), endOut(1, 0)], /output after its end/],
  ["an end of output elsewhere", [started, data(0, 5), endOut(1, 4)], /output at 4 where 5/],
  ["an exit before the start", [exited()], /exited before it started/],
  ["an exit before the end of output", [started, endOut(1, 0), exited()], /before the end of its output/],
  ["an exit twice", [started, endOut(1, 0), endOut(2, 0), exited(), exited()], /after its end/],
  ["an exit of no known sort", [started, endOut(1, 0), endOut(2, 0), exited(3)], /unknown way 3/],
  ["an exit status no process has", [started, endOut(1, 0), endOut(2, 0), exited(0, 256)], /exited with 256/],
  ["a signal that does not exist", [started, endOut(1, 0), endOut(2, 0), exited(1, 65)], /signaled with 65/],
  [
    "a failure at no known step",
    [frameOf(AgentMessage.Failed, 1, { errno: 2, step: 77, detail: "" })],
    /failed at step 77/
  ],
  ["a failure without an error", [frameOf(AgentMessage.Failed, 1, { errno: 0, step: 3, detail: "" })], /with error 0/],
  ["input acknowledged that was not sent", [started, frameOf(AgentMessage.AckIn, 1, { offset: 1 })], /up to 1 where 0/],
  ["more taken than was sent", [frameOf(AgentMessage.Taken, 0, { bytes: 1_000_000 })], /1000000 bytes taken/],
  [
    "less taken than before",
    [2, 1].map((bytes) => frameOf(AgentMessage.Taken, 0, { bytes })),
    /1 bytes taken, 2 before/
  ],
  ["an offset beyond 2^53", [started, rawFrame(8, 1, 0x88, Buffer.alloc(8, 0xff))], /beyond 2\^53/],
  [
    "a result of no call",
    [frameOf(AgentMessage.Result, FIRST_CALL + 1, { errno: 0, detail: "", result: nothing })],
    /call 1 that was not/
  ],
  [
    "a result twice",
    [0, 0].map(() => frameOf(AgentMessage.Result, FIRST_CALL, { errno: 0, detail: "", result: nothing })),
    /call 0/
  ],
  ["a result of another shape", [
    frameOf(AgentMessage.Result, FIRST_CALL, { errno: 0, detail: "", result: Buffer.alloc(3) })
  ], /3 bytes are left/],
  ["another frame for a call", [frameOf(AgentMessage.Started, FIRST_CALL, { pid: 1 })], /frame 0x83 for a call/],
  ["a second hello", [samples.find(({ name }) => name === "agent-hello")!.frame], /frame 0x81 for the connection/],
  ["a state nobody asked for", [samples.find(({ name }) => name === "state-running")!.frame], /unknown kind 0x89/],
  ["a frame of the host's", [samples.find(({ name }) => name === "spawn")!.frame], /unknown kind 0x3/]
]

/** A channel with one process and one call under way. */
const busy = Effect.gen(function*() {
  const peer = new Peer()
  const channel = yield* peer.connect()
  const spawning = yield* Effect.forkChild(Effect.gen(function*() {
    const process = yield* channel.spawn({ argv: ["true"], windowBytes: 4_096 })
    yield* Stream.runDrain(process.output)
    return yield* process.exit
  }))
  yield* peer.received(HostMessage.Spawn)
  const calling = yield* Effect.forkChild(channel.call.sync({ dropCaches: 0 }))
  yield* peer.received(HostMessage.Call)
  return { calling, channel, peer, spawning }
})

describe("a guest that breaks the protocol", () => {
  for (const [name, says, told] of violations) {
    it.live(`a guest loses its channel for ${name}, and all waiting requests get the reason`, () =>
      Effect.gen(function*() {
        const { channel, peer } = yield* busy
        for (const bytes of says) peer.raw(bytes)
        const failure = yield* Effect.flip(channel.failed)
        assert.strictEqual(failure._tag, "ChannelFailed")
        assert.match(failure.detail, told)
        assert.isTrue(peer.host.destroyed)
        assert.strictEqual(yield* Effect.flip(channel.call.sync({ dropCaches: 0 })), failure)
        assert.strictEqual(yield* Effect.flip(channel.spawn({ argv: ["true"] })), failure)
      }))
  }

  it.live("a violation fails the waiting call and process", () =>
    Effect.gen(function*() {
      const { calling, peer, spawning } = yield* busy
      peer.send(AgentMessage.Started, 1, { pid: 9 })
      peer.send(AgentMessage.DataOut, 1, { output: 1, offset: 0, data: Buffer.from("said before") })
      peer.raw(Buffer.from("!"))
      for (const fiber of [calling, spawning]) {
        const failure = yield* Effect.flip(Fiber.join(fiber as Fiber.Fiber<unknown, { readonly _tag: string }>))
        assert.strictEqual(failure._tag, "ChannelFailed")
      }
    }))

  it.live("a violation keeps the output that came before it", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.answering = true
      const channel = yield* peer.connect()
      const process = yield* channel.spawn({ argv: ["true"] })
      peer.send(AgentMessage.DataOut, 1, { output: 1, offset: 0, data: Buffer.from("said before") })
      peer.end()
      const read: Array<string> = []
      const failure = yield* process.output.pipe(
        Stream.runForEach(({ bytes }) => Effect.sync(() => read.push(Buffer.from(bytes).toString()))),
        Effect.flip
      )
      assert.deepStrictEqual([failure._tag, read], ["ChannelFailed", ["said before"]])
    }))

  it.live("a guest that does not answer is given up at the deadline", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.prelude = Buffer.alloc(100)
      peer.hello = { streams: 1 }
      const failure = yield* Effect.flip(peer.connect({ helloTimeoutMs: 20 }))
      assert.include(failure.message, "did not answer within 20 ms")
      assert.isFalse(failure.message.includes("undefined"))
    }))

  it.live("a guest that floods before its hello is given up", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.prelude = Buffer.alloc(17 * 1024 * 1024, 0x50)
      assert.include((yield* Effect.flip(peer.connect())).message, "no hello within 16777216 bytes")
    }))

  it.live("a guest that claims any credit for a file's content gets 1 MiB ahead of its acknowledgements", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      const channel = yield* peer.connect()
      const content = Stream.make(Buffer.alloc(4 * 1_048_576))
      yield* Effect.forkChild(channel.write({ root: "/", path: "a", mode: 0 }, content))
      yield* peer.received(HostMessage.Write)
      peer.send(AgentMessage.Started, 1, { pid: 0xffff_ffff })
      const sent = () => peer.framesOf(HostMessage.DataIn).reduce((sum, { data }) => sum + data.length, 0)
      const settle = Effect.forEach(
        Array.from({ length: 100 }),
        () => Effect.promise(() => new Promise<void>((go) => setImmediate(go)))
      )
      yield* settle
      assert.strictEqual(sent(), 1_048_576)
      peer.send(AgentMessage.AckIn, 1, { offset: 1_000_000 })
      yield* settle
      assert.strictEqual(sent(), 2_048_576)
    }))

  it.live("a guest that reads nothing is given up before it fills the host's memory", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.answering = true
      const channel = yield* peer.connect()
      const process = yield* channel.spawn({ argv: ["cat"], stdin: true })
      peer.host.stopped = true
      // It grants credit for input that it leaves in the socket.
      let acked = 0
      const granting = Effect.sync(() => {
        acked = Math.min(acked + 65_536, 65_536 * 2_300)
        peer.send(AgentMessage.AckIn, 1, { offset: acked })
      })
      const writing = yield* Effect.forkChild(process.writeStdin(Buffer.alloc(65_536 * 2_301)))
      yield* Effect.forkChild(
        Effect.forever(Effect.andThen(granting, Effect.promise(() => new Promise<void>((go) => setImmediate(go)))))
      )
      assert.include((yield* Effect.flip(Fiber.join(writing))).message, "leaves more than 134217728 bytes unread")
    }))
})

const session = Buffer.concat([
  started,
  data(0, 10),
  data(0, 20, 2),
  frameOf(AgentMessage.Event, 0, { level: 1, text: "hello" }),
  frameOf(AgentMessage.Result, FIRST_CALL, { errno: 0, detail: "", result: nothing }),
  endOut(1, 10),
  endOut(2, 20),
  exited()
])

/** Lets a guest say `bytes` in chunks of `size` and reports how it went. Only typed failures can come out. */
const survive = (bytes: Buffer, size: number) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const { calling, peer, spawning } = yield* Scope.provide(busy, scope)
    for (let at = 0; at < bytes.length; at += size) peer.raw(bytes.subarray(at, at + size))
    peer.end()
    const ends = [
      yield* Fiber.await(calling),
      yield* Fiber.await(spawning as Fiber.Fiber<unknown, { readonly _tag: string }>)
    ]
    yield* Scope.close(scope, Exit.void)
    return ends
  })

describe("any bytes from the guest", () => {
  it("a mangled session ends in results or typed failures", async () => {
    const anyMangled = FastCheck.record({
      changes: FastCheck.array(FastCheck.tuple(FastCheck.nat(session.length - 1), FastCheck.nat(0xff)), {
        maxLength: 4
      }),
      cut: FastCheck.nat(session.length),
      repeat: FastCheck.nat(session.length),
      size: FastCheck.integer({ min: 1, max: session.length })
    })
    await FastCheck.assert(
      FastCheck.asyncProperty(anyMangled, async ({ changes, cut, repeat, size }) => {
        const bytes = Buffer.from(session)
        for (const [at, byte] of changes) bytes[at] = byte
        const mangled = Buffer.concat([bytes.subarray(0, cut), bytes.subarray(repeat)])
        const ends = await Effect.runPromise(Effect.scoped(survive(mangled, size)))
        for (const end of ends) {
          if (Exit.isFailure(end)) assert.match(String(end.cause), /ChannelFailed|AgentCallFailed|CommandNot/)
        }
      }),
      { numRuns: 400 }
    )
  })

  it("a session in pieces of any size gives the same results", async () => {
    for (let size = 1; size < session.length; size += 7) {
      const ends = await Effect.runPromise(Effect.scoped(survive(session, size)))
      assert.isTrue(ends.every(Exit.isSuccess), `in pieces of ${size}`)
    }
  })
})

export type { GuestChannel }
