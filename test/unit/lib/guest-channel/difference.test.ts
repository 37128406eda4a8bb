import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { ContentDecoder, differenceDecoder } from "../../../../src/lib/guest-channel/files/records.ts"
import { EFBIG, ENOENT } from "../../../../src/lib/guest-channel/model/errors.ts"
import type { ComparedSide } from "../../../../src/lib/guest-channel/model/files.ts"
import { Writer } from "../../../../src/lib/guest-channel/wire/control.ts"
import { Violation } from "../../../../src/lib/guest-channel/wire/violation.ts"

const letters = {
  file: "f",
  directory: "d",
  symlink: "l",
  character: "c",
  block: "b",
  fifo: "p",
  socket: "s",
  mount: "m"
} as const

const counted = (to: Writer, bytes: Uint8Array) => {
  to.u32(bytes.length)
  to.raw(bytes)
}

/** One record as the agent writes it. */
const recordOf = (path: Uint8Array, before: ComparedSide | undefined, after: ComparedSide | undefined) => {
  const fields = new Writer()
  for (const side of [before, after]) {
    fields.u8(side === undefined ? 0 : letters[side.type].charCodeAt(0))
    fields.u32(side?.mode ?? 0)
    fields.u64(BigInt(side?.size ?? 0))
  }
  for (const bytes of [path, before?.linkTarget, after?.linkTarget]) counted(fields, bytes ?? new Uint8Array(0))
  const record = Buffer.from(fields.payload())
  const length = Buffer.alloc(4)
  length.writeUInt32BE(record.length)
  return Buffer.concat([length, record])
}

const anyBytes = FastCheck.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) =>
  bytes.map((byte) => byte === 0 || byte === 0x2f || byte === 0x2e ? 1 : byte)
)
const types = ["file", "directory", "symlink", "character", "block", "fifo", "socket"] as const
const anySideOf = (...of: ReadonlyArray<ComparedSide["type"]>): FastCheck.Arbitrary<ComparedSide> =>
  FastCheck.record({
    type: FastCheck.constantFrom(...of),
    mode: FastCheck.integer({ min: 0, max: 0o7777 }),
    size: FastCheck.maxSafeNat(),
    linkTarget: anyBytes
  })
const anyDifference = FastCheck.record({
  path: FastCheck.array(anyBytes, { minLength: 1, maxLength: 3 }).map((names) =>
    Uint8Array.from(Buffer.concat(names.flatMap((name, at) => at === 0 ? [name] : [Buffer.from("/"), name])))
  ),
  old: FastCheck.option(anySideOf(...types), { nil: undefined }),
  new: FastCheck.option(anySideOf(...types, "mount"), { nil: undefined })
}).filter((difference) => difference.old !== undefined || difference.new !== undefined)

/** What a decoder makes of bytes that come `step` at a time. */
const inSteps = <A>(
  decoder: { readonly push: (chunk: Uint8Array) => Array<A>; readonly end: () => void },
  bytes: Uint8Array,
  step: number
) => {
  const read: Array<A> = []
  for (let at = 0; at < bytes.length; at += step) read.push(...decoder.push(bytes.subarray(at, at + step)))
  decoder.end()
  return read
}

const onlyViolations = (decode: () => unknown) => {
  try {
    decode()
  } catch (error) {
    assert.instanceOf(error, Violation)
  }
}

describe("differences of two trees", () => {
  it("differences of two trees decode to the encoded ones, wherever the pieces are cut", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(anyDifference),
        FastCheck.integer({ min: 1, max: 200 }),
        (differences, step) => {
          const bytes = Buffer.concat(differences.map(({ new: after, old, path }) => recordOf(path, old, after)))
          assert.deepStrictEqual(inSteps(differenceDecoder(), bytes, step), differences)
        }
      )
    )
  })

  it("a difference with an invalid path or without a side is a violation", () => {
    const side: ComparedSide = { type: "file", mode: 0o644, size: 1, linkTarget: new Uint8Array(0) }
    for (const path of ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/."]) {
      assert.throws(
        () => differenceDecoder().push(recordOf(Buffer.from(path), side, undefined)),
        Violation,
        "",
        path
      )
    }
    for (const path of ["...", ".a", "a/..b", "a/b"]) {
      assert.lengthOf(differenceDecoder().push(recordOf(Buffer.from(path), side, undefined)), 1, path)
    }
    assert.throws(() => differenceDecoder().push(recordOf(Buffer.from("a"), undefined, undefined)), Violation)
    const odd = { ...side, mode: 0o100644 }
    assert.throws(() => differenceDecoder().push(recordOf(Buffer.from("a"), odd, undefined)), Violation, /mode/)
  })

  it("garbage instead of differences is a violation and causes no other error", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ maxLength: 300 }), FastCheck.nat(64), (garbage, length) => {
        const framed = Buffer.concat([Buffer.from([0, 0, 0, length]), garbage])
        for (const bytes of [garbage, framed]) onlyViolations(() => inSteps(differenceDecoder(), bytes, 7))
      }),
      { numRuns: 2_000 }
    )
  })
})

/** A file as READ_MANY writes it. */
const contentOf = (pieces: ReadonlyArray<Uint8Array>, errno: number, size: number) => {
  const fields = new Writer()
  for (const piece of pieces) counted(fields, piece)
  fields.u32(0)
  fields.u32(errno)
  fields.u64(BigInt(size))
  return Buffer.from(fields.payload())
}

describe("contents of many files", () => {
  const anyFile = FastCheck.array(FastCheck.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 4 }).map((
    pieces
  ) => pieces.map((piece) => Uint8Array.from(piece)))

  it("contents of many files decode to the encoded ones, wherever the pieces are cut", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.option(anyFile, { nil: undefined })),
        FastCheck.integer({ min: 1, max: 200 }),
        (files, step) => {
          const whole = files.map((pieces) => pieces === undefined ? undefined : Buffer.concat(pieces))
          const bytes = files.map((pieces, at) =>
            pieces === undefined ? contentOf([], ENOENT, 0) : contentOf(pieces, 0, whole[at]!.length)
          )
          const decoder = new ContentDecoder({ files: files.length, limit: 200 })
          assert.deepStrictEqual(
            inSteps(decoder, Buffer.concat(bytes), step).map(({ content, errno }) => errno === 0 ? content : undefined),
            whole
          )
        }
      )
    )
  })

  it("more, larger or fewer files than requested are a violation", () => {
    const piece = Buffer.alloc(10)
    const decode = (files: number, bytes: Buffer) => () =>
      inSteps(new ContentDecoder({ files, limit: 15 }), bytes, 1_000)
    const one = contentOf([piece], 0, 10)
    assert.lengthOf(decode(1, one)(), 1)
    assert.throws(decode(2, one), Violation, /1 files instead of 2/)
    assert.throws(decode(1, Buffer.concat([one, one])), Violation, /more files/)
    assert.throws(decode(1, contentOf([piece, piece], 0, 20)), Violation, /more than the 15 bytes/)
    assert.throws(decode(1, contentOf([piece], 0, 9)), Violation, /another size/)
    assert.throws(decode(1, contentOf([], EFBIG, 15)), Violation, /not too large/)
    assert.throws(decode(1, one.subarray(0, 20)), Violation, /within a file/)
    assert.throws(decode(1, Buffer.from("00010001", "hex")), Violation, /65537 bytes/)
    // It grew while it was read: what had come of it is dropped.
    assert.deepStrictEqual(decode(1, contentOf([piece], EFBIG, 20))(), [
      { errno: EFBIG, size: 20, content: Buffer.alloc(0) }
    ])
  })

  it("garbage instead of file contents is a violation and causes no other error", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ maxLength: 300 }), (garbage) => {
        const small = garbage.map((byte, at) => at % 4 === 3 ? byte & 15 : 0)
        for (const bytes of [garbage, small]) {
          onlyViolations(() => inSteps(new ContentDecoder({ files: 3, limit: 64 }), bytes, 7))
        }
      }),
      { numRuns: 2_000 }
    )
  })
})
