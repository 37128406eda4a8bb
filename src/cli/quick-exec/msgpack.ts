/** The part of MessagePack (its specification, "Formats") that requests and events of a command need. */

/** A value that is written as it is. */
export class Written {
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

export type Value =
  | string
  | Written
  | ReadonlyArray<Value>
  | ReadonlyMap<string, Value>
  | { readonly [name: string]: Value }

const head = (tag: number, length: number) => {
  const bytes = Buffer.alloc(5)
  bytes[0] = tag
  bytes.writeUInt32BE(length, 1)
  return bytes
}

/** Text, lists, maps and written values, each with a length of four bytes. */
export const write = (value: Value): Buffer => {
  if (value instanceof Written) return Buffer.from(value.bytes)
  if (typeof value === "string") {
    const text = Buffer.from(value, "utf8")
    return Buffer.concat([head(0xdb, text.length), text])
  }
  if (Array.isArray(value)) return Buffer.concat([head(0xdd, value.length), ...value.map(write)])
  const entries = value instanceof Map ? [...value] : Object.entries(value as Readonly<Record<string, Value>>)
  return Buffer.concat([head(0xdf, entries.length), ...entries.flatMap(([name, one]) => [write(name), write(one)])])
}

/** An extension, which is read by the library that wrote it. */
export class Foreign extends Error {}

/** More bytes are needed. */
export class Incomplete extends Error {}

/** One value at a time, from its first byte. */
export const reader = (bytes: Buffer, from: number) => {
  let at = from
  const take = (count: number) => {
    const start = at
    if (start + count > bytes.length) throw new Incomplete()
    at += count
    return start
  }
  const u8 = () => bytes.readUInt8(take(1))
  const u16 = () => bytes.readUInt16BE(take(2))
  const u32 = () => bytes.readUInt32BE(take(4))
  const text = (length: number) => bytes.toString("utf8", take(length), at)
  const binary = (length: number) => bytes.subarray(take(length), at)
  const list = (length: number): unknown => Array.from({ length }, read)
  const map = (length: number): unknown => {
    const entries = new Map<unknown, unknown>()
    for (let one = 0; one < length; one++) {
      const name = read()
      entries.set(name, read())
    }
    return entries
  }
  const read = (): unknown => {
    const tag = u8()
    if (tag < 0x80) return tag
    if (tag < 0x90) return map(tag & 0x0f)
    if (tag < 0xa0) return list(tag & 0x0f)
    if (tag < 0xc0) return text(tag & 0x1f)
    if (tag >= 0xe0) return tag - 0x100
    switch (tag) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return binary(u8())
      case 0xc5:
        return binary(u16())
      case 0xc6:
        return binary(u32())
      case 0xca:
        return bytes.readFloatBE(take(4))
      case 0xcb:
        return bytes.readDoubleBE(take(8))
      case 0xcc:
        return u8()
      case 0xcd:
        return u16()
      case 0xce:
        return u32()
      case 0xcf:
        return Number(bytes.readBigUInt64BE(take(8)))
      case 0xd0:
        return bytes.readInt8(take(1))
      case 0xd1:
        return bytes.readInt16BE(take(2))
      case 0xd2:
        return bytes.readInt32BE(take(4))
      case 0xd3:
        return Number(bytes.readBigInt64BE(take(8)))
      case 0xd9:
        return text(u8())
      case 0xda:
        return text(u16())
      case 0xdb:
        return text(u32())
      case 0xdc:
        return list(u16())
      case 0xdd:
        return list(u32())
      case 0xde:
        return map(u16())
      case 0xdf:
        return map(u32())
      default:
        throw new Foreign()
    }
  }
  return { read, at: () => at } as const
}
