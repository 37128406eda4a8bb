import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { AgentMessage, HostMessage } from "../../../src/guest-channel/messages.ts"
import { connected } from "./peer.ts"

const exited = { how: 0, code: 0, durationNs: 0n }

describe("the bytes of a connection", () => {
  for (const end of [true, false]) {
    it.scopedLive(`the bytes wait for a new command${end ? "" : ", but not for all of its life"}`, () =>
      Effect.gen(function*() {
        const { channel, peer } = yield* connected
        const connecting = yield* Effect.fork(channel.connectPort({ port: 80 }))
        const stream = (yield* peer.received(HostMessage.Connect))[0]!.stream
        peer.send(AgentMessage.Started, stream, { pid: 262_144 })
        const socket = yield* connecting
        yield* Effect.fork(channel.spawn({ argv: ["true"] }))
        const command = (yield* peer.received(HostMessage.Spawn))[0]!
        yield* Effect.fork(socket.write(Buffer.from("bytes")))
        yield* Effect.yieldNow()
        assert.deepStrictEqual(peer.framesOf(HostMessage.DataIn), [])
        if (end) {
          peer.send(AgentMessage.Started, command.stream, { pid: 9 })
          for (const output of [1, 2]) peer.send(AgentMessage.EndOut, command.stream, { output, offset: 0 })
          peer.send(AgentMessage.Exited, command.stream, exited)
        }
        const [data] = yield* peer.received(HostMessage.DataIn)
        assert.strictEqual(Buffer.from(data!.data).toString(), "bytes")
      }))
  }
})
