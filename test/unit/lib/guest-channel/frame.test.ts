import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import {
  encodeFrame,
  frameAround,
  FrameDecoder,
  MAX_FRAME_BYTES,
  MAX_PAYLOAD_BYTES,
  TAKEOVER_FILLER_BYTES
} from "../../../../src/lib/guest-channel/wire/frame.ts"
import { Unencodable, Violation } from "../../../../src/lib/guest-channel/wire/violation.ts"
import { samples } from "./samples.ts"

interface Frame {
  readonly stream: number
  readonly kind: number
  readonly payload: string
}

const anyFrame = FastCheck.record({
  stream: FastCheck.nat(0xffff_ffff),
  kind: FastCheck.nat(0xff),
  payload: FastCheck.oneof(
    FastCheck.uint8Array({ maxLength: 40 }),
    FastCheck.nat(MAX_PAYLOAD_BYTES).map((length) => new Uint8Array(length).fill(length))
  )
})

const collecting = () => {
  const frames: Array<Frame> = []
  const decoder = new FrameDecoder((stream, kind, payload) => {
    frames.push({ stream, kind, payload: payload.toString("hex") })
  })
  return { decoder, frames }
}

/** Pushes `bytes` in pieces of the given sizes, over and over; the decoder never holds more than a frame. */
const pushInPieces = (decoder: FrameDecoder, bytes: Buffer, sizes: ReadonlyArray<number>) => {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    // A copy, as every socket chunk is a buffer of its own.
    decoder.push(Buffer.from(bytes.subarray(at, at + size)))
    assert.isAtMost(decoder.heldBytes, MAX_FRAME_BYTES)
    at += size
  }
}

describe("frames", () => {
  it("a frame around lent data has the bytes of a frame that copies the data", () => {
    const [fields, data] = [Buffer.from("position"), Buffer.alloc(MAX_PAYLOAD_BYTES - 8, "d")]
    const pieces = frameAround(7, 4, fields, data)
    assert.isTrue(Buffer.concat(pieces).equals(encodeFrame(7, 4, Buffer.concat([fields, data]))))
    assert.strictEqual(pieces[1], data)
  })

  it("frames decode to the encoded ones, wherever the stream is cut and with any filler between them", () => {
    const pieces = FastCheck.array(
      FastCheck.oneof(FastCheck.integer({ min: 1, max: 12 }), FastCheck.integer({ min: 1, max: 70_000 })),
      {
        minLength: 1,
        maxLength: 20
      }
    )
    const frames = FastCheck.array(FastCheck.tuple(FastCheck.nat(30), anyFrame), { maxLength: 8 })
    FastCheck.assert(
      FastCheck.property(frames, pieces, (sent, sizes) => {
        const bytes = Buffer.concat(sent.flatMap(([filler, { kind, payload, stream }]) => [
          Buffer.alloc(filler),
          encodeFrame(stream, kind, payload)
        ]))
        const { decoder, frames } = collecting()
        pushInPieces(decoder, bytes, bytes.length > 5_000 ? sizes.map((size) => size + 500) : sizes)
        assert.deepStrictEqual(
          frames,
          sent.map(([, { kind, payload, stream }]) => ({ kind, payload: Buffer.from(payload).toString("hex"), stream }))
        )
        assert.strictEqual(decoder.heldBytes, 0)
      }),
      { numRuns: 200 }
    )
  })

  it("decoded frames are views of their chunk, not copies", () => {
    const chunk = Buffer.concat([encodeFrame(1, 2, Buffer.from("abc")), encodeFrame(3, 4, Buffer.from("defg"))])
    const views: Array<Buffer> = []
    new FrameDecoder((_stream, _kind, payload) => views.push(payload)).push(chunk)
    assert.deepStrictEqual(views.map((view) => [view.buffer === chunk.buffer, view.toString()]), [[true, "abc"], [
      true,
      "defg"
    ]])
  })

  it("the frames of a stored session decode if every byte arrives alone", () => {
    const bytes = Buffer.concat(samples.map(({ frame }) => frame))
    const { decoder, frames } = collecting()
    pushInPieces(decoder, bytes, [1])
    assert.deepStrictEqual(frames.map(({ kind }) => kind), samples.map(({ kind }) => kind))
  })

  it("garbage instead of frames is a violation and causes no other error", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.uint8Array({ maxLength: 200 }),
        FastCheck.integer({ min: 1, max: 9 }),
        (garbage, size) => {
          const { decoder } = collecting()
          try {
            pushInPieces(decoder, Buffer.from(garbage), [size])
          } catch (error) {
            assert.instanceOf(error, Violation)
          }
        }
      ),
      { numRuns: 2_000 }
    )
  })

  it("a frame that claims more than the limit is refused before it is buffered", () => {
    const claims = [[0x50, 0xff, 0xff, 0xff], [0x50, 0x00, 0xff, 0xf7]]
    for (const claim of claims) {
      const { decoder } = collecting()
      assert.throws(() => decoder.push(Buffer.from(claim)), Violation, /claims/)
      assert.strictEqual(decoder.heldBytes, 0)
    }
    assert.throws(() => encodeFrame(1, 1, Buffer.alloc(MAX_PAYLOAD_BYTES + 1)), Unencodable)
    assert.strictEqual(encodeFrame(1, 1, Buffer.alloc(MAX_PAYLOAD_BYTES)).length, MAX_FRAME_BYTES)
  })

  it("the filler of a takeover ends a frame that was cut short, which is never delivered", () => {
    const frame = encodeFrame(7, 3, Buffer.alloc(MAX_PAYLOAD_BYTES, 0x50))
    for (const cut of [1, 2, 3, 4, 8, 9, 10, 1_000, frame.length - 1]) {
      const { decoder, frames } = collecting()
      // What the agent drops in silence is a violation on this side, which never meets it: it searches the hello.
      assert.throws(
        () => decoder.push(Buffer.concat([frame.subarray(0, cut), Buffer.alloc(TAKEOVER_FILLER_BYTES)])),
        Violation
      )
      assert.deepStrictEqual(frames, [])
    }
  })
})
