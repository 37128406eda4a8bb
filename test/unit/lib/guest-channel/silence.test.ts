import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Ref, Stream } from "effect"
import { ChannelFailed } from "../../../../src/contract/errors/errors.ts"
import type { GuestChannel } from "../../../../src/lib/guest-channel/GuestChannel.ts"
import { Calls } from "../../../../src/lib/guest-channel/model/calls.ts"
import { AgentMessage, FIRST_CALL, HostMessage } from "../../../support/guest-channel/guest-wire.ts"
import { lapse } from "../../../support/until.ts"
import { Peer } from "./peer.ts"

const nothing = Buffer.alloc(0)
const path = { root: "/", path: "a" }

/** A greeted agent that says nothing more by itself, and a channel that waits 40 ms for it. */
const silent = (options: Parameters<Peer["connect"]>[0] = {}) =>
  Effect.gen(function*() {
    const peer = new Peer()
    const channel = yield* peer.connect({ silenceMs: 40, ...options })
    return { peer, channel }
  })

const requests: Readonly<Record<string, (channel: GuestChannel) => Effect.Effect<unknown, unknown>>> = {
  "a call": ({ call }) => call.clockGet({}),
  "a flush of its disks": ({ call }) => call.sync({ dropCaches: 0 }),
  "a chain": ({ chain }) => chain([Calls.sync({ dropCaches: 0 })]),
  "a read": ({ read }) => Stream.runDrain(read(path)),
  "an open file": ({ openFile }) => Effect.scoped(openFile(path)),
  "a write": ({ write }) => write({ ...path, mode: 0 }, Stream.make(Buffer.alloc(200_000))),
  "a walk": ({ walk }) => Stream.runDrain(walk(path)),
  "a comparison": ({ compare }) => Stream.runDrain(compare({ old: path, new: path })),
  "a read of many files": ({ readMany }) => Stream.runDrain(readMany({ root: "/", paths: ["a"], limit: 1 })),
  "a look at a file": ({ statFile }) => statFile({ ...path, follow: true }),
  "a copy of a file": ({ copyFile }) => copyFile({ ...path, target: "b", replace: false }),
  "a removal": ({ doFileWork }) => doFileWork({ ...path, op: "remove", recursive: true }),
  "a change of files": ({ changeFiles }) => changeFiles("/", []),
  "a connection to a port": ({ connectPort }) => Effect.scoped(connectPort({ port: 1 })),
  "a command's start": ({ spawn }) => Effect.scoped(spawn({ argv: ["true"] })),
  "a command's start that nobody's scope has": ({ launch }) => Effect.flatten(launch({ argv: ["true"] })),
  "a pause": ({ silently }) => silently({ last: Calls.sync({ dropCaches: 0 }), first: [] }, () => Effect.void)
}

const isSilence = (failure: unknown) => failure instanceof ChannelFailed && failure.code === "guest_silent"

/** Refuses a probe, as a living agent does. */
const refuse = (peer: Peer, stream: number) =>
  peer.send(AgentMessage.Failed, stream, { errno: 74, step: 9, detail: nothing })

/** Numbers of the probes that the host has sent. */
const probes = (peer: Peer) =>
  peer.frames.filter(({ kind, payload }) => kind === HostMessage.Walk.kind && payload.length === 0)
    .map(({ stream }) => stream)

/** Answers every probe, until `count` of them have been. */
const live = (peer: Peer, count: number) =>
  Effect.suspend(() => {
    const answered = new Set<number>()
    return Effect.sync(() => {
      for (const probe of probes(peer)) if (!answered.has(probe)) refuse(peer, probe)
      for (const probe of probes(peer)) answered.add(probe)
      return answered.size
    }).pipe(Effect.delay("2 millis"), Effect.repeat({ until: (size) => size >= count }))
  })

describe("an agent that sends nothing", () => {
  for (const [name, request] of Object.entries(requests)) {
    it.live(`a silent agent fails ${name} with the code guest_silent, and the next one too`, () =>
      Effect.gen(function*() {
        const { channel } = yield* silent()
        for (let time = 0; time < 2; time++) {
          const failure = yield* Effect.flip(request(channel))
          assert.isTrue(isSilence(failure), String(failure))
          assert.include((failure as ChannelFailed).message, "may be done in part")
        }
        assert.isTrue(channel.isSilent())
      }))
  }

  it.live("a silent agent does not end a running command, and its output and end arrive later", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* silent()
      const starting = yield* Effect.forkChild(channel.spawn({ argv: ["true"] }))
      yield* peer.received(HostMessage.Spawn)
      peer.send(AgentMessage.Started, 1, { pid: 7 })
      const process = yield* Fiber.join(starting)
      assert.isTrue(isSilence(yield* Effect.flip(channel.call.sync({ dropCaches: 0 }))))
      peer.send(AgentMessage.DataOut, 1, { output: 1, offset: 0, data: Buffer.from("back") })
      for (const output of [1, 2]) peer.send(AgentMessage.EndOut, 1, { output, offset: output === 1 ? 4 : 0 })
      peer.send(AgentMessage.Exited, 1, { how: 0, code: 3, durationNs: 1n })
      let printed = ""
      yield* process.forEachOutput(({ bytes }) => Effect.sync(() => (printed += Buffer.from(bytes).toString())))
      assert.deepStrictEqual([printed, (yield* process.exit).code, channel.isSilent()], ["back", 3, false])
    }))

  it.live("a silent agent fails a request at the shorter deadline only while a caller ends the guest", () =>
    Effect.gen(function*() {
      const { channel } = yield* silent({ silenceMs: 200, endingSilenceMs: 40 })
      const detailOf = (request: typeof flush) =>
        Effect.map(Effect.flip(request), (failure) => (failure as ChannelFailed).detail)
      const flush = channel.call.sync({ dropCaches: 0 })
      assert.include(yield* detailOf(channel.unlessSilent(flush)), "sent nothing for 0.05 s")
      const other = yield* silent({ silenceMs: 200, endingSilenceMs: 40 })
      yield* other.channel.unlessSilent(Effect.void)
      assert.include(yield* detailOf(other.channel.call.sync({ dropCaches: 0 })), "sent nothing for 0.2 s")
    }))

  it.live("the host drops late answers of a silent agent and serves new requests", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* silent()
      yield* Effect.flip(channel.call.sync({ dropCaches: 0 }))
      yield* Effect.flip(Stream.runDrain(channel.read(path)))
      const [read] = yield* peer.received(HostMessage.Read)
      for (const probe of probes(peer)) refuse(peer, probe)
      peer.send(AgentMessage.Result, FIRST_CALL, { errno: 0, detail: "", result: nothing })
      peer.send(AgentMessage.Started, read!.stream, { pid: 0 })
      peer.answering = true
      yield* channel.call.sync({ dropCaches: 0 })
      assert.isFalse(channel.isSilent())
    }))

  it.live("the host releases a command whose start a silent agent does not confirm", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* silent()
      yield* Effect.flip(Effect.flatten(channel.launch({ argv: ["true"] })))
      const [spawned] = yield* peer.received(HostMessage.Spawn)
      const [released] = yield* peer.received(HostMessage.Release)
      assert.strictEqual(released!.stream, spawned!.stream)
    }))
})

describe("an agent that is only slow", () => {
  it.live("the host waits for an agent that answers probes", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* silent()
      const flush = yield* Effect.forkChild(channel.call.sync({ dropCaches: 0 }))
      const walk = yield* Effect.forkChild(Stream.runDrain(channel.walk(path)))
      // Each comes after 10 ms without a byte at least: four times the time after which a silent one fails.
      yield* live(peer, 16)
      assert.deepStrictEqual([flush.pollUnsafe(), walk.pollUnsafe()], [undefined, undefined])
      peer.send(AgentMessage.Result, FIRST_CALL, { errno: 0, detail: "", result: nothing })
      yield* Fiber.join(flush)
      yield* Fiber.interrupt(walk)
    }))

  it.live("the host waits for an agent that answers probes, also for a caller who ends the guest", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* silent({ endingSilenceMs: 40 })
      const flush = yield* Effect.forkChild(channel.unlessSilent(channel.call.sync({ dropCaches: 0 })))
      yield* live(peer, 16)
      assert.isUndefined(flush.pollUnsafe())
      peer.send(AgentMessage.Result, FIRST_CALL, { errno: 0, detail: "", result: nothing })
      yield* Fiber.join(flush)
    }))

  it.live("the host waits for an agent whose guest stands still for a known reason", () =>
    Effect.gen(function*() {
      const isStill = yield* Ref.make(true)
      const asked = yield* Ref.make(0)
      const { channel } = yield* silent({
        explainSilence: Effect.andThen(
          Ref.update(asked, (count) => count + 1),
          Effect.map(Ref.get(isStill), (still) => still ? undefined : "QEMU is stopped")
        )
      })
      const waiting = yield* Effect.forkChild(Effect.flip(channel.call.sync({ dropCaches: 0 })))
      yield* Effect.repeat(Effect.delay(Ref.get(asked), "2 millis"), { until: (count) => count >= 3 })
      assert.isUndefined(waiting.pollUnsafe())
      yield* Ref.set(isStill, false)
      assert.match((yield* Fiber.join(waiting)).message, /QEMU is stopped/)
    }))

  it.live("the host does not count time in which its own process stood still as the agent's silence", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* silent()
      const flush = yield* Effect.forkChild(channel.call.sync({ dropCaches: 0 }))
      yield* peer.received(HostMessage.Call)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
      peer.send(AgentMessage.Result, FIRST_CALL, { errno: 0, detail: "", result: nothing })
      yield* Fiber.join(flush)
    }))

  it.live("the host waits for an agent during a pause of its guest, also for requests made then", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* silent()
      peer.answering = true
      const during = channel.silently({ last: Calls.sync({ dropCaches: 0 }), first: [] }, () =>
        Effect.gen(function*() {
          const request = yield* Effect.forkChild(channel.call.sync({ dropCaches: 0 }))
          yield* lapse(200)
          return request
        }))
      yield* Fiber.join(yield* during)
    }))

  it.live("the host sends no probe while only a command runs", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* silent()
      peer.answering = true
      yield* channel.spawn({ argv: ["sleep", "9"] })
      yield* lapse(100)
      assert.deepStrictEqual(probes(peer), [])
      assert.isFalse(channel.isSilent())
    }))
})
