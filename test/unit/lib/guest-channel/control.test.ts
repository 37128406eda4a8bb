import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import {
  decodePayload,
  encodePayload,
  type Field,
  list,
  offset,
  str,
  u16,
  u32,
  u64,
  u8
} from "../../../../src/lib/guest-channel/wire/control.ts"
import { AgentMessage, HostMessage } from "../../../../src/lib/guest-channel/wire/messages.ts"
import { Unencodable, Violation } from "../../../../src/lib/guest-channel/wire/violation.ts"
import { samples } from "./samples.ts"

const roundTrips = <A>(field: Field<A>, any: FastCheck.Arbitrary<A>) =>
  FastCheck.assert(FastCheck.property(any, (value) => {
    assert.deepStrictEqual(decodePayload(field, encodePayload(field, value)), value)
  }))

const anyBytes = FastCheck.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
const anyStr = anyBytes.map((bytes) => Buffer.from(bytes.map((byte) => byte === 0 ? 1 : byte)))
const anyId = FastCheck.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes))
const anyU32 = FastCheck.nat(0xffff_ffff)
const anyOffset = FastCheck.maxSafeNat()

describe("control fields", () => {
  it("control fields decode to the encoded values", () => {
    roundTrips(u8, FastCheck.nat(0xff))
    roundTrips(u16, FastCheck.nat(0xffff))
    roundTrips(u32, anyU32)
    roundTrips(u64, FastCheck.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
    roundTrips(offset, anyOffset)
    roundTrips<string | Uint8Array>(str, anyStr)
    roundTrips(list<string | Uint8Array>(str), FastCheck.array(anyStr, { maxLength: 20 }))
    roundTrips(HostMessage.Ack.fields, FastCheck.record({ output: FastCheck.nat(0xff), offset: anyOffset }))
    roundTrips<{ readonly offset: number; readonly data: Uint8Array }>(
      HostMessage.DataIn.fields,
      FastCheck.record({ offset: anyOffset, data: anyBytes })
    )
    roundTrips<{ readonly nonce: Uint8Array; readonly version: number; readonly flags: number }>(
      HostMessage.Hello.fields,
      FastCheck.record({ nonce: anyId, version: anyU32, flags: FastCheck.nat(0xff) })
    )
    roundTrips<{ readonly errno: number; readonly step: number; readonly detail: string | Uint8Array }>(
      AgentMessage.Failed.fields,
      FastCheck.record({ errno: anyU32, step: FastCheck.nat(0xff), detail: anyStr })
    )
  })

  it("control fields that are cut short or have extra bytes are a violation", () => {
    for (const sample of samples.filter(({ frame }) => frame.length < 1_000)) {
      const payload = sample.frame.subarray(9, -1)
      const endsInBytes = /^(call|data|result|state)/.test(sample.name)
      for (let length = 0; length < payload.length; length++) {
        // The user is the last field, and root's request has none.
        const isRoots = sample.name.endsWith("-as-user") && length === payload.lastIndexOf(0) - 2
        if (!endsInBytes && !isRoots) assert.throws(() => sample.decode(payload.subarray(0, length)), Violation)
      }
      if (!endsInBytes) assert.throws(() => sample.decode(Buffer.concat([payload, Buffer.alloc(1)])), Violation)
    }
  })

  it("changed control fields decode or are a violation, and cause no other error", () => {
    const small = samples.filter(({ frame }) => frame.length < 1_000)
    const anySample = FastCheck.constantFrom(...small)
    FastCheck.assert(
      FastCheck.property(
        anySample,
        FastCheck.array(FastCheck.tuple(FastCheck.nat(), FastCheck.nat(0xff))),
        (sample, changes) => {
          const payload = Buffer.from(sample.frame.subarray(9, -1))
          for (const [at, byte] of changes) {
            if (payload.length > 0) payload[at % payload.length] = byte
          }
          try {
            sample.decode(payload)
          } catch (error) {
            assert.instanceOf(error, Violation)
          }
        }
      ),
      { numRuns: 3_000 }
    )
  })

  it("a false count in control fields allocates no memory", () => {
    const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
    assert.throws(() => decodePayload(list(str), claim), Violation)
    assert.throws(() => decodePayload(str, claim), Violation)
  })

  it("a value that cannot be encoded, such as a string with a NUL or one beyond a frame, is refused", () => {
    assert.throws(() => encodePayload(str, "a\0b"), Unencodable)
    assert.throws(() => encodePayload(str, "x".repeat(70_000)), Unencodable)
  })
})
