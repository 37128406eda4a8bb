import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import { Calls } from "../../../../src/lib/guest-channel/model/calls.ts"
import { AgentMessage, FIRST_CALL, HostMessage } from "../../../support/guest-channel/guest-wire.ts"
import { connected, Peer } from "./peer.ts"

const nothing = Buffer.alloc(0)
const succeeded = { errno: 0, detail: "", result: nothing }
const exited = { how: 0, code: 7, durationNs: 1_500_000n }
/** Lets everything that is ready run. */
const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

describe("events of the agent", () => {
  it.live("agent events arrive with their severity and escaped text", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      for (const [level, text] of [[1, "one"], [2, "two\u001b[2J"], [3, "three"]] as const) {
        peer.send(AgentMessage.Event, 0, { level, text })
      }
      const events = yield* Stream.runCollect(Stream.take(channel.events, 3))
      assert.deepStrictEqual(events.map(({ level }) => level), ["info", "warning", "error"])
      assert.notInclude(events[1]!.text, "\u001b")
    }))

  it.live("an agent event of unknown severity ends the connection", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.send(AgentMessage.Event, 0, { level: 4, text: "" })
      assert.include((yield* Effect.flip(channel.failed)).detail, "an event of level 4")
    }))
})

describe("calls", () => {
  it.live("concurrent calls go out in order in one write", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const before = peer.host.writes.length
      const names = Array.from({ length: 10 }, (_, i) => `host-${i}`)
      const all = yield* Effect.forkChild(
        Effect.all(names.map((name) => channel.call.hostname({ name })), { concurrency: "unbounded" })
      )
      const calls = yield* peer.received(HostMessage.Call, 10)
      assert.deepStrictEqual(calls.map(({ fields }) => Buffer.from(fields.subarray(4)).toString()), names)
      assert.strictEqual(peer.host.writes.length, before + 1)
      for (const { stream } of calls) peer.send(AgentMessage.Result, stream, succeeded)
      yield* Fiber.join(all)
    }))

  it.live("each call gets its own result, in any order of results", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const both = yield* Effect.forkChild(
        Effect.all([channel.call.ping({ payload: Buffer.from("a") }), channel.call.clockSet({ ns: 9n })], {
          concurrency: "unbounded"
        })
      )
      yield* peer.received(HostMessage.Call, 2)
      peer.send(AgentMessage.Result, FIRST_CALL + 1, { ...succeeded, result: Buffer.from("0000000400000000", "hex") })
      peer.send(AgentMessage.Result, FIRST_CALL, { ...succeeded, result: Buffer.from("0000000161", "hex") })
      const [pong, before] = yield* Fiber.join(both)
      assert.deepStrictEqual([Buffer.from(pong).toString(), before], ["a", 17_179_869_184n])
    }))

  it.live("a failed call reports the call, the errno and the guest's escaped text", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const mount = yield* Effect.forkChild(
        Effect.flip(channel.call.mount({ source: "/dev/vdb", target: "/disk", fstype: "ext4", flags: 0, data: "" }))
      )
      yield* peer.received(HostMessage.Call)
      peer.send(AgentMessage.Result, FIRST_CALL, { errno: 2, detail: "/dev/vdb\u001b[2J", result: nothing })
      const failure = yield* Fiber.join(mount)
      assert.strictEqual(failure.message, "the guest's agent could not mount: ENOENT (/dev/vdb\\u{1b}[2J)")
    }))

  it.live("a call that is too large for a frame is refused before it is sent, and the channel works on", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      const huge = Calls.writeSmall({ path: "/a", mode: 0o644, content: Buffer.alloc(70_000) })
      const refused = yield* Effect.flip(channel.request(huge))
      assert.strictEqual(refused._tag === "AgentCallFailed" && refused.errno, "E2BIG")
      yield* Effect.flip(channel.chain([Calls.sync({ dropCaches: 0 }), huge]))
      yield* Effect.flip(channel.spawnAfter([huge], { argv: ["true"] }))
      assert.strictEqual((yield* Effect.flip(channel.spawn({ argv: ["x".repeat(70_000)] })))._tag, "CommandNotStarted")
      assert.strictEqual(peer.frames.length, 1)
      assert.strictEqual((yield* channel.spawn({ argv: ["true"] })).pid, 41)
    }))
})

describe("what cannot be said", () => {
  it.live("an invalid value, such as a NUL in a name, is refused before it is sent", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const refused = [
        channel.call.umount({ target: "/a", flags: -1 }),
        channel.call.mkdir({ path: "/a", mode: 1.5 }),
        channel.call.mkdir({ path: "/a\0b", mode: 0o755 }),
        channel.call.clockSet({ ns: -1n }),
        Effect.scoped(channel.connectPort({ port: 70_000 }))
      ]
      for (const each of refused) {
        const failure = yield* Effect.flip(
          each as Effect.Effect<unknown, { readonly _tag: string; readonly errno?: string }>
        )
        assert.deepStrictEqual([failure._tag, failure.errno], ["AgentCallFailed", "EINVAL"])
      }
      assert.strictEqual((yield* Effect.flip(channel.spawn({ argv: ["a\0b"] })))._tag, "CommandNotStarted")
      assert.strictEqual(peer.frames.length, 1)
    }))
})

describe("a chain", () => {
  it.live("a chain and its spawn go out in one write and start the process in one round trip", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      const before = peer.host.writes.length
      const process = yield* channel.spawnAfter(
        [Calls.reseed({ entropy: Buffer.alloc(64) }), Calls.sync({ dropCaches: 0 })],
        { argv: ["true"] }
      )
      assert.strictEqual(process.pid, 41)
      assert.strictEqual(peer.host.writes.length, before + 1)
      const seen = peer.frames.slice(1).map(({ kind, payload }) =>
        kind === HostMessage.Call.kind ? payload.toString("hex", 0, 2) : kind
      )
      assert.deepStrictEqual(seen, ["1301", "0200", "0d00", HostMessage.Spawn.kind, "1300"])
    }))

  it.live("a chain fails with its first failed call, not with the calls cancelled for it", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const claim = yield* Effect.forkChild(Effect.flip(
        channel.spawnAfter([Calls.reseed({ entropy: Buffer.alloc(64) }), Calls.hostname({ name: "a" })], {
          argv: ["true"]
        })
      ))
      yield* peer.received(HostMessage.Call, 4)
      // Numbers follow the order of sending: chain, reseed, hostname, chain.
      for (const [i, errno] of [0, 5, 125, 0].entries()) {
        peer.send(AgentMessage.Result, FIRST_CALL + i, { errno, detail: "", result: nothing })
      }
      peer.send(AgentMessage.Failed, 1, { errno: 125, step: 8, detail: "" })
      const failure = yield* Fiber.join(claim)
      assert.strictEqual(failure.message, "the guest's agent could not reseed: EIO")
    }))
})

describe("a process", () => {
  it.live("a process gives its output in order, its end and its status", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      const process = yield* channel.spawn({ argv: ["sh", "-c", "…"] })
      peer.send(AgentMessage.DataOut, 1, { output: 1, offset: 0, data: Buffer.from("one ") })
      peer.send(AgentMessage.DataOut, 1, { output: 2, offset: 0, data: Buffer.from("two ") })
      peer.send(AgentMessage.DataOut, 1, { output: 1, offset: 4, data: Buffer.from("three") })
      peer.send(AgentMessage.EndOut, 1, { output: 1, offset: 9 })
      peer.send(AgentMessage.EndOut, 1, { output: 2, offset: 4 })
      peer.send(AgentMessage.Exited, 1, exited)
      const output = yield* Stream.runCollect(process.output)
      assert.deepStrictEqual(
        output.map(({ bytes, from, offset }) => [from, offset, Buffer.from(bytes).toString()]),
        [["stdout", 0, "one "], ["stderr", 0, "two "], ["stdout", 4, "three"]]
      )
      assert.deepStrictEqual(yield* process.exit, { _tag: "exited", code: 7, durationMs: 1.5 })
    }))

  it.live("a reader that takes output at once gets the refused rest in order, and the host acknowledges both", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      const process = yield* channel.spawn({ argv: ["yes"], windowBytes: 40_000 })
      const seen: Array<string> = []
      const letter = ({ bytes }: { readonly bytes: Uint8Array }) => String.fromCharCode(bytes[0]!)
      const reading = yield* Effect.forkChild(process.forEachOutput(
        (piece) => Effect.sync(() => seen.push(`later ${letter(piece)}`)),
        (piece) => letter(piece) !== "r" && seen.push(`at once ${letter(piece)}`) > 0
      ))
      yield* Effect.yieldNow
      for (const [at, data] of ["t", "r", "u"].entries()) {
        peer.send(AgentMessage.DataOut, 1, { output: 1, offset: at * 10_000, data: Buffer.alloc(10_000, data) })
      }
      for (const output of [1, 2]) peer.send(AgentMessage.EndOut, 1, { output, offset: output === 1 ? 30_000 : 0 })
      yield* Fiber.join(reading)
      assert.deepStrictEqual(seen, ["at once t", "later r", "at once u"])
      assert.deepStrictEqual(
        (yield* peer.received(HostMessage.Ack, 3)).map(({ offset, output }) => [output, offset]),
        [[1, 10_000], [1, 20_000], [1, 30_000]]
      )
    }))

  it.live("a process that cannot start fails with the matching error", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const cases = [
        [2, 3, "CommandNotFound"],
        [13, 3, "CommandNotExecutable"],
        [8, 3, "CommandNotExecutable"],
        [2, 2, "CommandNotStarted"],
        [11, 8, "CommandNotStarted"],
        [17, 8, "ChannelFailed"],
        [12, 3, "CommandNotStarted"]
      ] as const
      for (const [i, [errno, step, tag]] of cases.entries()) {
        const failed = yield* Effect.forkChild(Effect.flip(Effect.scoped(channel.spawn({ argv: ["tool"] }))))
        yield* peer.received(HostMessage.Spawn, i + 1)
        peer.send(AgentMessage.Failed, i + 1, { errno, step, detail: "/work\u0007" })
        const failure = yield* Fiber.join(failed)
        assert.strictEqual(failure._tag, tag)
        assert.notInclude(failure.message, "\u0007")
      }
      // What failed is kept by the agent too, until it is released.
      assert.strictEqual((yield* peer.received(HostMessage.Release, cases.length)).length, cases.length)
    }))

  it.live("the host acknowledges only output that its reader has processed, a quarter of the window at a time", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      const process = yield* channel.spawn({ argv: ["yes"], windowBytes: 40_000 })
      for (let i = 0; i < 4; i++) {
        peer.send(AgentMessage.DataOut, 1, { output: 1, offset: i * 10_000, data: Buffer.alloc(10_000) })
      }
      const atFirst = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const reader = yield* Effect.forkChild(process.output.pipe(
        Stream.take(4),
        Stream.runForEach(() => Effect.andThen(Deferred.succeed(atFirst, undefined), Deferred.await(goOn)))
      ))
      yield* Deferred.await(atFirst)
      yield* settle
      assert.deepStrictEqual(peer.framesOf(HostMessage.Ack), [])
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(reader)
      assert.deepStrictEqual(
        (yield* peer.received(HostMessage.Ack, 3)).map(({ offset, output }) => [output, offset]),
        [[1, 10_000], [1, 20_000], [1, 30_000]]
      )
    }))

  it.live("unread output of a process does not block another process", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      yield* channel.spawn({ argv: ["yes"], windowBytes: 65_536 })
      const other = yield* channel.spawn({ argv: ["echo"] })
      for (let i = 0; i < 2; i++) {
        peer.send(AgentMessage.DataOut, 1, { output: 1, offset: i * 32_768, data: Buffer.alloc(32_768) })
      }
      peer.send(AgentMessage.DataOut, 2, { output: 1, offset: 0, data: Buffer.from("here") })
      const first = yield* Stream.runHead(other.output)
      assert.strictEqual(Buffer.from(Option.getOrThrow(first).bytes).toString(), "here")
    }))

  it.live("a process gets its input in order and within its granted credit", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      const process = yield* channel.spawn({ argv: ["cat"], stdin: true })
      const input = Buffer.from(Array.from({ length: 150_000 }, (_, i) => i % 251))
      const writing = yield* Effect.forkChild(
        Effect.andThen(
          Effect.andThen(process.writeStdin(input.subarray(0, 100_000)), process.writeStdin(input.subarray(100_000))),
          process.endStdin
        )
      )
      const sent = () => Buffer.concat(peer.framesOf(HostMessage.DataIn).map(({ data }) => data))
      yield* peer.received(HostMessage.DataIn, 2)
      yield* settle
      assert.strictEqual(sent().length, 65_536)
      peer.send(AgentMessage.AckIn, 1, { offset: 50_000 })
      yield* settle
      assert.strictEqual(sent().length, 115_536)
      peer.send(AgentMessage.AckIn, 1, { offset: 115_536 })
      yield* Fiber.join(writing)
      assert.deepStrictEqual((yield* peer.received(HostMessage.EndIn)).map(({ offset }) => offset), [150_000])
      assert.isTrue(sent().equals(input))
    }))

  it.live("the input for a process without stdin is dropped", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      const process = yield* channel.spawn({ argv: ["true"] })
      yield* process.writeStdin(Buffer.alloc(200_000))
      yield* process.endStdin
      yield* settle
      assert.deepStrictEqual([...peer.framesOf(HostMessage.DataIn), ...peer.framesOf(HostMessage.EndIn)], [])
    }))

  it.live("the end of a process releases its waiting writers", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      const process = yield* channel.spawn({ argv: ["true"], stdin: true })
      const writing = yield* Effect.forkChild(process.writeStdin(Buffer.alloc(200_000)))
      yield* peer.received(HostMessage.DataIn, 2)
      for (const output of [1, 2]) peer.send(AgentMessage.EndOut, 1, { output, offset: 0 })
      peer.send(AgentMessage.Exited, 1, exited)
      yield* Fiber.join(writing)
      yield* process.signal("SIGTERM")
      yield* settle
      assert.deepStrictEqual(peer.framesOf(HostMessage.Signal), [])
    }))

  it.live("closing the scope of a process kills and releases it, and its late output is dropped", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const scope = yield* Scope.make()
      const starting = yield* Effect.forkChild(Scope.provide(channel.spawn({ argv: ["sleep", "9"] }), scope))
      yield* peer.received(HostMessage.Spawn)
      peer.send(AgentMessage.Started, 1, { pid: 41 })
      yield* Fiber.join(starting)
      yield* Scope.close(scope, Exit.void)
      yield* peer.received(HostMessage.Release)
      peer.send(AgentMessage.DataOut, 1, { output: 1, offset: 0, data: Buffer.from("late") })
      const ping = yield* Effect.forkChild(channel.call.sync({ dropCaches: 0 }))
      yield* peer.received(HostMessage.Call)
      peer.send(AgentMessage.Result, FIRST_CALL, succeeded)
      yield* Fiber.join(ping)
      // The call was answered after the release was seen: from here on it is a violation.
      peer.send(AgentMessage.DataOut, 1, { output: 1, offset: 4, data: Buffer.from("too late") })
      assert.include((yield* Effect.flip(channel.failed)).message, "stream 1, which is not open")
    }))

  it.live("a process whose start is interrupted is released", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const starting = yield* Effect.forkChild(Effect.scoped(channel.spawn({ argv: ["sleep", "9"] })))
      yield* peer.received(HostMessage.Spawn)
      yield* Fiber.interrupt(starting)
      assert.deepStrictEqual((yield* peer.received(HostMessage.Release)).map(({ stream }) => stream), [1])
    }))

  it.live("a process is released before its channel closes", () =>
    Effect.gen(function*() {
      const peer = new Peer()
      peer.answering = true
      yield* Effect.scoped(Effect.flatMap(peer.connect(), (channel) => channel.spawn({ argv: ["sleep", "9"] })))
      assert.strictEqual((yield* peer.received(HostMessage.Release)).length, 1)
      assert.isTrue(peer.host.destroyed)
    }))

  it.live("processes that start and end many times leave no state", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      peer.answering = true
      for (let i = 0; i < 300; i++) yield* Effect.scoped(channel.spawn({ argv: ["true"] }))
      const pings = peer.framesOf(HostMessage.Call)
      assert.strictEqual(pings.length, 2)
    }))
})
