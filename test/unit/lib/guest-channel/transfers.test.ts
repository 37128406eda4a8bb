import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { AgentMessage, HostMessage } from "../../../support/guest-channel/guest-wire.ts"
import { connected } from "./peer.ts"

/** From so many bytes on, a connection waits for commands. */
const LARGE_BYTES = 196_608
/** Half of the time for which bytes wait for a command, in ms. */
const SOON_MS = 10
const exited = { how: 0, code: 0, durationNs: 0n }
/** Lets everything that is ready run. */
const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** A command begins, then a write to a connection. Gives what the guest got of the write right after it, unless this host was slow. */
const writeBesideCommand = Effect.gen(function*() {
  const { channel, peer } = yield* connected
  const connecting = yield* Effect.forkChild(channel.connectPort({ port: 80 }))
  const { stream } = (yield* peer.received(HostMessage.Connect))[0]!
  peer.send(AgentMessage.Started, stream, { pid: 262_144 })
  const socket = yield* Fiber.join(connecting)
  // What sends little does not wait.
  yield* socket.write(Buffer.alloc(LARGE_BYTES))
  const large = yield* peer.received(HostMessage.DataIn, LARGE_BYTES / 32_768)
  const since = performance.now()
  yield* Effect.forkChild(channel.spawn({ argv: ["true"] }))
  const command = (yield* peer.received(HostMessage.Spawn))[0]!.stream
  yield* Effect.forkChild(socket.write(Buffer.from("bytes")))
  yield* settle
  yield* settle
  const atOnce = peer.framesOf(HostMessage.DataIn).slice(large.length)
  return { atOnce, command, count: large.length, peer, isSoon: performance.now() - since < SOON_MS }
}).pipe(Effect.repeat({ until: ({ isSoon }) => isSoon }))

describe("the bytes of a connection beside a new command", () => {
  it.live("the bytes wait until the command has ended", () =>
    Effect.gen(function*() {
      const { atOnce, command, count, peer } = yield* writeBesideCommand
      assert.deepStrictEqual(atOnce, [])
      peer.send(AgentMessage.Started, command, { pid: 9 })
      for (const output of [1, 2]) peer.send(AgentMessage.EndOut, command, { output, offset: 0 })
      peer.send(AgentMessage.Exited, command, exited)
      const data = (yield* peer.received(HostMessage.DataIn, count + 1)).at(-1)
      assert.strictEqual(Buffer.from(data!.data).toString(), "bytes")
    }))

  it.live("the bytes go on beside a command that does not end", () =>
    Effect.gen(function*() {
      const { atOnce, count, peer } = yield* writeBesideCommand
      assert.deepStrictEqual(atOnce, [])
      const data = (yield* peer.received(HostMessage.DataIn, count + 1)).at(-1)
      assert.strictEqual(Buffer.from(data!.data).toString(), "bytes")
    }))
})
