import { assert } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import type { Socket } from "node:net"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { Calls } from "../../src/lib/guest-channel/model/calls.ts"
import { yieldToEventLoop } from "../../src/system/waits/effects.ts"
import { lapse } from "../support/until.ts"
import { Agent, until, withAgent, withGuestBuild } from "./agent.ts"
import { hashOutput, run, start } from "./run.ts"
import { openUnixSocket } from "./unix-socket.ts"

const ping = (text: string) => Calls.ping({ payload: Buffer.from(text) })

/** Runs work while the agent stands still like the guest of a paused VM, and all that it has sent has arrived. */
const atRest = <A, E, R>(received: () => number, work: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { pid } = yield* Agent
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => process.kill(pid, "SIGSTOP")),
      () =>
        Effect.gen(function*() {
          // The signal takes effect at the end of a system call.
          yield* until("it stands still", () => /\) T /.test(readFileSync(`/proc/${pid}/stat`, "latin1")))
          for (let quiet = 0, before = -1; quiet < 3; quiet++) {
            yield* lapse(2)
            yield* yieldToEventLoop
            if (received() !== before) quiet = 0
            before = received()
          }
          return yield* work
        }),
      () => Effect.sync(() => process.kill(pid, "SIGCONT"))
    )
  })

/** Moves a channel to a new connection to the same agent, which learns of it only when it continues. */
const move = (channel: GuestChannel, first: ReadonlyArray<() => ReturnType<typeof ping>> = []) =>
  Effect.gen(function*() {
    const { socketPath } = yield* Agent
    const opened = yield* Deferred.make<Socket>()
    yield* channel.silently({ last: ping("last"), first }, (received) =>
      Effect.gen(function*() {
        yield* atRest(received, channel.leave)
        const socket = yield* openUnixSocket(socketPath)
        assert.isTrue(yield* channel.moveTo(socket))
        yield* Deferred.succeed(opened, socket)
      }))
    return yield* Deferred.await(opened)
  })

for (const [build, suite] of [["the sanitized build", withAgent], ["the guest's build", withGuestBuild]] as const) {
  suite(`a channel that moves to another connection, in ${build}`, (it) => {
    it.effect("calls, commands and files go on, and only the new connection is used", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { build: before } = channel.hello
        for (let round = 0; round < 5; round++) {
          const socket = yield* move(channel, [() => ping("first")])
          const { stdout } = yield* run(channel, ["echo", `round ${round}`])
          assert.strictEqual(stdout, `round ${round}\n`)
          assert.isAbove(socket.bytesWritten, 0)
        }
        assert.strictEqual(channel.hello.build, before)
        assert.isFalse(channel.isSilent())
      }))

    it.effect("a stream in both directions loses and repeats no byte, however often the channel moves", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const content = Buffer.from(Array.from({ length: 2_000_000 }, (_, i) => (i * 31 + (i >> 9)) & 0xff))
        const cat = yield* start(channel, ["cat"], { stdin: true, windowBytes: 100_000 })
        const steady = yield* start(channel, [
          "sh",
          "-c",
          "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"
        ])
        const feeding = Effect.andThen(cat.writeStdin(content), cat.endStdin)
        const flowing = yield* Effect.forkChild(
          Effect.all([feeding, hashOutput(cat), hashOutput(steady)], { concurrency: 3 })
        )
        let moves = 0
        while (flowing.pollUnsafe() === undefined && moves < 12) {
          yield* move(channel)
          moves++
        }
        const [, out, lines] = yield* Fiber.join(flowing)
        assert.isAbove(moves, 2)
        assert.deepStrictEqual(out, { bytes: content.length, hash: createHash("sha256").update(content).digest("hex") })
        const expected = Array.from({ length: 3000 }, (_, i) => `line ${i}\n`).join("")
        assert.strictEqual(lines.hash, createHash("sha256").update(expected).digest("hex"))
        assert.strictEqual((yield* cat.exit).code, 0)
      }))

    it.effect("requests that were made meanwhile are sent after the first ones, on the new connection", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { socketPath } = yield* Agent
        const order: Array<string> = []
        const asked = yield* Deferred.make<Fiber.Fiber<unknown, unknown>>()
        const first = () => {
          order.push("first")
          return ping("first")
        }
        yield* channel.silently({ last: ping("last"), first: [first] }, (received) =>
          Effect.andThen(
            atRest(received, channel.leave),
            Effect.gen(function*() {
              const command = Effect.tap(channel.call.ping({ payload: Buffer.from("later") }), () =>
                Effect.sync(() => order.push("later")))
              yield* Deferred.succeed(asked, yield* Effect.forkChild(command, { startImmediately: true }))
              yield* yieldToEventLoop
              assert.isTrue(yield* channel.moveTo(yield* openUnixSocket(socketPath)))
            })
          ))
        yield* Fiber.join(yield* Deferred.await(asked))
        assert.deepStrictEqual(order.slice(-2), ["first", "later"])
      }))

    it.effect("a channel that could not move fails with the reason, and its agent serves the next one", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { socketPath } = yield* Agent
        const waiting = yield* start(channel, ["sleep", "1000"])
        const output = yield* Effect.forkChild(Effect.flip(Stream.runDrain(waiting.output)), { startImmediately: true })
        yield* Effect.exit(channel.silently({ last: ping("last"), first: [] }, (received) =>
          atRest(
            received,
            Effect.gen(function*() {
              yield* channel.leave
              yield* channel.fail("the guest does not listen any more")
            })
          )))
        for (
          const failure of [
            yield* Fiber.join(output),
            yield* Effect.flip(channel.call.ping({ payload: Buffer.alloc(0) })),
            yield* Effect.flip(channel.failed)
          ]
        ) {
          assert.deepInclude(failure, { _tag: "ChannelFailed", detail: "the guest does not listen any more" } as object)
        }
        const late = yield* openUnixSocket(socketPath)
        assert.isFalse(yield* channel.moveTo(late))
        assert.isTrue(late.destroyed)
        const { stdout } = yield* run(yield* Agent.connect(), ["echo", "next"])
        assert.strictEqual(stdout, "next\n")
      }))

    it.effect("a connection that ends before the agent's answer is of no use, and the next one is taken", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { socketPath } = yield* Agent
        yield* channel.silently({ last: ping("last"), first: [] }, (received) =>
          Effect.gen(function*() {
            yield* atRest(received, channel.leave)
            const cut = yield* openUnixSocket(socketPath)
            const moved = yield* Effect.forkChild(channel.moveTo(cut), { startImmediately: true })
            cut.destroy()
            assert.isFalse(yield* Fiber.join(moved))
            assert.isTrue(yield* channel.moveTo(yield* openUnixSocket(socketPath)))
          }))
        const { stdout } = yield* run(channel, ["echo", "moved"])
        assert.strictEqual(stdout, "moved\n")
      }))

    it.effect("the end of the new connection is the end of the channel", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const socket = yield* move(channel)
        yield* channel.call.ping({ payload: Buffer.from("works") })
        socket.destroy()
        assert.strictEqual((yield* Effect.flip(channel.failed))._tag, "ChannelFailed")
      }))
  })
}
