import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { allocateWithRoom } from "../../../src/contract/wire/bulk-room.ts"
import { bulk } from "../../../src/contract/wire/bulk.ts"
import { layerSerialization, MESSAGE_BYTES } from "../../../src/contract/wire/serialization.ts"

const Event = bulk(
  Schema.Union([
    Schema.TaggedStruct("Output", { bytes: Schema.Uint8Array }),
    Schema.TaggedStruct("Ended", { count: Schema.Int })
  ])
)
const events = Schema.NonEmptyArray(Event)
const library = Effect.runSync(Effect.provide(RpcSerialization.RpcSerialization, layerSerialization()))
const codec = library.codecFor(events)
const encode = Schema.encodeUnknownSync(codec as never) as (values: unknown) => unknown
const decode = Schema.decodeUnknownSync(codec as never) as (values: unknown) => ReadonlyArray<typeof Event.Type>

const output = (size: number, fill: number) => ({ _tag: "Output", bytes: new Uint8Array(size).fill(fill) })
const chunk = (...values: ReadonlyArray<unknown>) => ({ _tag: "Chunk", requestId: "7", values: encode(values) })
const written = (message: unknown) => library.makeUnsafe().encode(message as never) as Uint8Array

/** The events of the messages in `bytes`, which arrive `step` by `step`. */
const read = (bytes: Uint8Array, step: number) => {
  const parser = library.makeUnsafe()
  const messages: Array<unknown> = []
  for (let at = 0; at < bytes.length; at += step) {
    const chunk = Buffer.from(bytes.subarray(at, at + step))
    messages.push(...parser.decode(chunk))
    // A socket's memory is used again.
    chunk.fill(0xee)
  }
  return messages.map((message) => decode((message as { readonly values: unknown }).values))
}

describe("messages with many bytes", () => {
  it("they arrive whole beside other messages, wherever they are cut", () => {
    const all = [
      [output(3, 1)],
      [output(5_000, 2), { _tag: "Ended", count: 1 }, output(40_000, 3)],
      // An empty place is that of detached bytes, so this one has none.
      [output(0, 0), output(9_000, 4)],
      [{ _tag: "Ended", count: 2 }]
    ]
    const bytes = Buffer.concat(all.map((values) => written(chunk(...values))))
    for (const step of [1, 2, 7, 4_096, 9_001, bytes.length]) assert.deepStrictEqual(read(bytes, step), all as never)
  })

  it("a message is made around bytes that have room before them, and else copies them", () => {
    const bytes = allocateWithRoom(9_000).fill(7)
    const whole = written(chunk({ _tag: "Output", bytes }))
    assert.strictEqual(whole.buffer, bytes.buffer)
    assert.deepStrictEqual(read(whole, 5_000), [[output(9_000, 7)]] as never)
    const part = written(chunk({ _tag: "Output", bytes: bytes.subarray(10) }))
    const two = written(chunk({ _tag: "Output", bytes }, output(5_000, 1)))
    for (const copied of [part, two]) assert.notStrictEqual(copied.buffer, bytes.buffer)
    assert.deepStrictEqual(read(part, 5_000), [[output(8_990, 7)]] as never)
    assert.deepStrictEqual(read(two, 5_000), [[output(9_000, 7), output(5_000, 1)]] as never)
    // The head has no room: the message is of many values, or the bytes are not in such memory.
    const long = { ...chunk({ _tag: "Output", bytes }), requestId: "7".repeat(2_000) }
    assert.notStrictEqual(written(long).buffer, bytes.buffer)
    assert.deepStrictEqual(read(written(long), 5_000), [[output(9_000, 7)]] as never)
  })

  it("each piece has memory of its own, so that a reader may give it away", () => {
    const [[first, second] = []] = read(written(chunk(output(5_000, 1), output(6_000, 2))), 100_000)
    for (const [event, size] of [[first, 5_000], [second, 6_000]] as const) {
      assert.strictEqual((event as { readonly bytes: Uint8Array }).bytes.buffer.byteLength, size)
    }
  })

  it("a message that claims more than a message may have, or bytes for nothing, is refused", () => {
    const claim = (at: number, size: number) => {
      const bytes = Buffer.from(written(chunk(output(5_000, 1))))
      bytes.writeUInt32BE(size, at)
      return bytes
    }
    const whole = written(chunk(output(5_000, 1)))
    const firstPiece = whole.length - 5_000 - 4
    for (const bytes of [claim(1, MESSAGE_BYTES + 1), claim(5, 2 ** 32 - 1), claim(firstPiece, MESSAGE_BYTES + 1)]) {
      assert.throws(() => read(bytes, bytes.length), /a message cannot be read/)
    }
    // One piece, and no place for it.
    const nothing = written({ _tag: "Ping" })
    const head = Buffer.alloc(9)
    head.writeUInt32BE(nothing.length, 1)
    assert.throws(() => read(Buffer.concat([head, nothing]), 100), /a message cannot be read/)
    const two = Buffer.from(whole)
    two.writeUInt32BE(2, 5)
    assert.throws(() => read(Buffer.concat([two, Buffer.of(0, 0, 0, 1, 9)]), 100_000), /pieces fewer/)
  })
})
