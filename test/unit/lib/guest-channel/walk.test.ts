import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import * as FastCheck from "fast-check"
import { walkDecoder } from "../../../../src/lib/guest-channel/files/records.ts"
import { Writer } from "../../../../src/lib/guest-channel/wire/control.ts"
import { AgentMessage, HostMessage } from "../../../../src/lib/guest-channel/wire/messages.ts"
import { Violation } from "../../../../src/lib/guest-channel/wire/violation.ts"
import { connected } from "./peer.ts"

const letters = { file: "f", directory: "d", symlink: "l", character: "c", block: "b", fifo: "p", socket: "s" } as const

/** One record as the agent writes it. */
const recordOf = (type: string, path: Uint8Array, linkTarget: Uint8Array, size: number) => {
  const fields = new Writer()
  fields.u8(type.charCodeAt(0))
  for (const number of [0o755, 1, 2]) fields.u32(number)
  for (const number of [BigInt(size), 7n, 8n, 9n]) fields.u64(number)
  fields.u32(1)
  for (const bytes of [path, linkTarget]) {
    fields.u32(bytes.length)
    fields.raw(bytes)
  }
  const record = Buffer.from(fields.payload())
  const length = Buffer.alloc(4)
  length.writeUInt32BE(record.length)
  return Buffer.concat([length, record])
}

const anyName = FastCheck.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) =>
  bytes.map((byte) => byte === 0 ? 1 : byte)
)
const anyType = FastCheck.constantFrom("file", "directory", "symlink", "character", "block", "fifo", "socket")

describe("walked entries", () => {
  it("walked entries decode to the encoded ones, wherever the pieces are cut", () => {
    const anyEntry = FastCheck.record({
      type: anyType,
      path: anyName,
      linkTarget: anyName,
      size: FastCheck.maxSafeNat()
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(anyEntry), FastCheck.integer({ min: 1, max: 200 }), (entries, step) => {
        const bytes = Buffer.concat(
          entries.map(({ linkTarget, path, size, type }) =>
            recordOf(letters[type as keyof typeof letters], path, linkTarget, size)
          )
        )
        const decoder = walkDecoder()
        const read = []
        for (let at = 0; at < bytes.length; at += step) read.push(...decoder.push(bytes.subarray(at, at + step)))
        decoder.end()
        assert.deepStrictEqual(
          read.map(({ linkTarget, path, size, type }) => ({
            type: type as string,
            path: Uint8Array.from(path),
            linkTarget: Uint8Array.from(linkTarget),
            size
          })),
          entries
        )
      })
    )
  })

  it("garbage instead of walked entries is a violation and causes no other error", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ maxLength: 300 }), (garbage) => {
        const decoder = walkDecoder()
        try {
          decoder.push(garbage)
          decoder.end()
        } catch (error) {
          assert.instanceOf(error, Violation)
        }
      }),
      { numRuns: 2_000 }
    )
    assert.throws(
      () => walkDecoder().push(Buffer.from("ffffffff", "hex")),
      Violation,
      /walk record of 4294967295 bytes/
    )
  })

  it.live("an unreadable walked entry ends the channel", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const walking = yield* Effect.forkChild(Effect.flip(Stream.runDrain(channel.walk({ root: "/", path: "." }))))
      yield* peer.received(HostMessage.Walk)
      peer.send(AgentMessage.Started, 1, { pid: 0 })
      peer.send(AgentMessage.DataOut, 1, {
        output: 1,
        offset: 0,
        data: recordOf("?", Buffer.from("a"), Buffer.alloc(0), 0)
      })
      const failure = yield* Fiber.join(walking)
      assert.strictEqual(failure._tag, "ChannelFailed")
      assert.include(failure.message, "unknown type 63")
      assert.strictEqual(yield* Effect.flip(channel.failed), failure)
    }))
})
