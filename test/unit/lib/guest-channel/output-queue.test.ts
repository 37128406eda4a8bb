import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { OutputQueue } from "../../../../src/lib/guest-channel/streams/output.ts"

/** A piece as it comes from a socket: a small view of a chunk of its own. */
const pieceOf = (byte: number, length: number, chunkBytes = length) =>
  Buffer.from(new ArrayBuffer(chunkBytes), 0, length).fill(byte)

/** One byte in a socket chunk of 64 KiB; the chunk is the same each time, since only its size matters. */
const lonelyByte = pieceOf(1, 1, 65_536)

describe("unread output", () => {
  it("unread output is returned in order, whole, with contiguous offsets", () => {
    const anyPiece = FastCheck.record({
      output: FastCheck.constantFrom("stdout" as const, "stderr" as const),
      length: FastCheck.oneof(FastCheck.integer({ min: 1, max: 9 }), FastCheck.integer({ min: 1, max: 40_000 })),
      kept: FastCheck.boolean(),
      take: FastCheck.option(FastCheck.integer({ min: 1, max: 100_000 }))
    })
    FastCheck.assert(FastCheck.property(FastCheck.array(anyPiece, { maxLength: 60 }), (pieces) => {
      const queue = new OutputQueue()
      const pushed = { stdout: "", stderr: "" }
      const taken = { stdout: "", stderr: "" }
      let order = ""
      let orderTaken = ""
      const offsets = { stdout: 0, stderr: 0 }
      const received = { stdout: 0, stderr: 0 }
      const take = (limitBytes: number) => {
        for (const { bytes, from, offset } of queue.take(limitBytes)) {
          assert.strictEqual(offset, offsets[from])
          offsets[from] = offset + bytes.length
          taken[from] += Buffer.from(bytes).toString("latin1")
          orderTaken += from.at(-1)!.repeat(bytes.length)
        }
      }
      pieces.forEach(({ kept, length, output, take: limit }, i) => {
        const bytes = pieceOf(i % 251, length, kept ? 65_536 : length)
        queue.push(output, received[output], bytes, kept)
        received[output] += length
        pushed[output] += bytes.toString("latin1")
        order += output.at(-1)!.repeat(length)
        if (limit !== null) take(limit)
      })
      take(Number.MAX_SAFE_INTEGER)
      assert.isEmpty(queue.take(1))
      assert.deepStrictEqual(taken, pushed)
      assert.strictEqual(orderTaken, order)
    }))
  })

  it("unread output takes at most twice its bytes if the guest sends single bytes in large chunks", () => {
    const queue = new OutputQueue()
    for (let i = 0; i < 200_000; i++) queue.push("stdout", i, lonelyByte, true)
    assert.isBelow(queue.heldBytes, 2 * 200_000 + 65_536)
  })

  it("unread output stays small if stdout and stderr alternate byte by byte", () => {
    const queue = new OutputQueue()
    for (let i = 0; i < 200_000; i++) queue.push(i % 2 === 0 ? "stdout" : "stderr", i >> 1, lonelyByte, true)
    assert.isBelow(queue.heldBytes, 2 * 200_000 + 100_000)
    const taken = queue.take(Number.MAX_SAFE_INTEGER)
    assert.isBelow(taken.length, 5_000)
    assert.strictEqual(taken.reduce((sum, { bytes }) => sum + bytes.length, 0), 200_000)
  })
})
