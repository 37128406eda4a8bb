import type { GuestString } from "../model/guest-string.ts"
import { HEADER_BYTES, MAX_PAYLOAD_BYTES, sealFrame } from "./frame.ts"
import { Unencodable, Violation } from "./violation.ts"

/** Writes fields straight into the frame that will carry them. */
export class Writer {
  #frame = Buffer.allocUnsafe(256)
  #at = HEADER_BYTES

  /** Makes room for `bytes` more and the frame's end. Gives their position. */
  #grow(bytes: number) {
    const at = this.#at
    this.#at = at + bytes
    if (this.#at - HEADER_BYTES > MAX_PAYLOAD_BYTES) {
      throw new Unencodable(
        "E2BIG",
        `${this.#at - HEADER_BYTES} bytes do not fit in a frame of at most ${MAX_PAYLOAD_BYTES}`
      )
    }
    if (this.#at + 1 > this.#frame.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#at + 1, 2 * this.#frame.length))
      this.#frame.copy(larger, 0, 0, at)
      this.#frame = larger
    }
    return at
  }
  u8(value: number) {
    const at = this.#grow(1)
    this.#frame.writeUInt8(within(value, 0xff), at)
  }
  u16(value: number) {
    const at = this.#grow(2)
    this.#frame.writeUInt16BE(within(value, 0xffff), at)
  }
  u32(value: number) {
    const at = this.#grow(4)
    this.#frame.writeUInt32BE(within(value, 0xffff_ffff), at)
  }
  u64(value: bigint) {
    const at = this.#grow(8)
    if (BigInt.asUintN(64, value) !== value) throw new Unencodable("EINVAL", `${value} is not a number of 64 bits`)
    this.#frame.writeBigUInt64BE(value, at)
  }
  raw(bytes: Uint8Array) {
    const at = this.#grow(bytes.length)
    this.#frame.set(bytes, at)
  }
  payload() {
    return this.#frame.subarray(HEADER_BYTES, this.#at)
  }
  seal(stream: number, kind: number) {
    return sealFrame(this.#frame.subarray(0, this.#at + 1), stream, kind)
  }
}

const within = (value: number, most: number) => {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new Unencodable("EINVAL", `${value} is not a whole number from 0 to ${most}`)
  }
  return value
}

/** Reads fields of a payload. Every count is checked against the remaining bytes. */
export class Reader {
  readonly #payload: Buffer
  #at = 0
  constructor(payload: Buffer) {
    this.#payload = payload
  }
  get left() {
    return this.#payload.length - this.#at
  }
  #take(bytes: number) {
    if (bytes > this.left) throw new Violation(`a field of ${bytes} bytes where ${this.left} are left`)
    const at = this.#at
    this.#at += bytes
    return at
  }
  u8() {
    return this.#payload.readUInt8(this.#take(1))
  }
  u16() {
    return this.#payload.readUInt16BE(this.#take(2))
  }
  u32() {
    return this.#payload.readUInt32BE(this.#take(4))
  }
  u64() {
    return this.#payload.readBigUInt64BE(this.#take(8))
  }
  raw(bytes: number) {
    const at = this.#take(bytes)
    return this.#payload.subarray(at, at + bytes)
  }
  end() {
    if (this.left > 0) throw new Violation(`${this.left} bytes are left over after the last field`)
  }
}

/** One positional field, or several: how it is written and read. */
export interface Field<A> {
  readonly write: (to: Writer, value: A) => void
  readonly read: (from: Reader) => A
}

export const u8: Field<number> = { write: (to, value) => to.u8(value), read: (from) => from.u8() }
export const u16: Field<number> = { write: (to, value) => to.u16(value), read: (from) => from.u16() }
export const u32: Field<number> = { write: (to, value) => to.u32(value), read: (from) => from.u32() }
export const u64: Field<bigint> = { write: (to, value) => to.u64(value), read: (from) => from.u64() }

/** A byte position or count: u64 on the wire, at most 2^53 - 1 here (8 PiB). */
export const offset: Field<number> = {
  write: (to, value) => {
    within(value, Number.MAX_SAFE_INTEGER)
    to.u32(Math.floor(value / 0x1_0000_0000))
    to.u32(value % 0x1_0000_0000)
  },
  read: (from) => {
    const high = from.u32()
    const low = from.u32()
    if (high > 0x1fffff) throw new Violation("an offset or size beyond 2^53")
    return high * 0x1_0000_0000 + low
  }
}

export const bytes: Field<Uint8Array> = {
  write: (to, value) => {
    to.u32(value.length)
    to.raw(value)
  },
  read: (from) => from.raw(from.u32())
}

/** Exactly 16 bytes: a nonce or the id of a stream. */
export const id16: Field<Uint8Array> = {
  write: bytes.write,
  read: (from) => {
    const value = bytes.read(from)
    if (value.length !== 16) throw new Violation(`an id of ${value.length} bytes instead of 16`)
    return value
  }
}

/** Read as bytes: names of the guest may be no UTF-8. */
export const str: Field<GuestString> = {
  write: (to, value) => {
    const encoded = typeof value === "string" ? Buffer.from(value) : value
    if (encoded.includes(0)) {
      throw new Unencodable("EINVAL", "a NUL byte cannot be passed to the guest in a name or argument")
    }
    bytes.write(to, encoded)
  },
  read: (from) => {
    const value = bytes.read(from)
    if (value.includes(0)) throw new Violation("a NUL byte in a string")
    return value
  }
}

/** Raw bytes up to the end of the payload. */
export const rest: Field<Uint8Array> = { write: (to, value) => to.raw(value), read: (from) => from.raw(from.left) }

export const list = <A>(item: Field<A>): Field<ReadonlyArray<A>> => ({
  write: (to, values) => {
    to.u32(values.length)
    for (const value of values) item.write(to, value)
  },
  read: (from) => {
    const count = from.u32()
    const values: Array<A> = []
    // Every item takes a byte at least, so a false count ends at the payload's end.
    for (let i = 0; i < count; i++) values.push(item.read(from))
    return values
  }
})

interface AnyField {
  readonly write: (to: Writer, value: never) => void
  readonly read: (from: Reader) => unknown
}
export type ValueOf<F> = F extends { readonly read: (from: Reader) => infer A } ? A : never
export type Fields = Readonly<Record<string, AnyField>>
export type StructOf<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> }

/** Fields one after the other, in the order written here. */
export const struct = <F extends Fields>(fields: F): Field<StructOf<F>> => {
  const names: ReadonlyArray<keyof F> = Object.keys(fields)
  return {
    write: (to, value) => {
      for (const name of names) fields[name]!.write(to, value[name] as never)
    },
    read: (from) => {
      const value: { [K in keyof F]?: unknown } = {}
      for (const name of names) value[name] = fields[name]!.read(from)
      return value as StructOf<F>
    }
  }
}

/** Reads a whole payload. Remaining bytes are a violation. */
export const decodePayload = <A>(field: Field<A>, payload: Buffer): A => {
  const from = new Reader(payload)
  const value = field.read(from)
  from.end()
  return value
}

export const encodePayload = <A>(field: Field<A>, value: A) => {
  const to = new Writer()
  field.write(to, value)
  return to.payload()
}

/** A whole frame, its payload written in place. Throws `Unencodable`. */
export const encodeControl = <A>(stream: number, kind: number, field: Field<A>, value: A) => {
  const to = new Writer()
  field.write(to, value)
  return to.seal(stream, kind)
}
