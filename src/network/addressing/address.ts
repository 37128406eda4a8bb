import * as net from "node:net"

/** An address as a number, so that prefixes are compared whatever the text looked like. */
export interface Address {
  readonly family: 4 | 6
  readonly value: bigint
}

/** All addresses whose first `bits` bits are those of `value`. */
export interface Range extends Address {
  readonly bits: number
}

export const widthOf = (family: 4 | 6) => family === 4 ? 32 : 128

/** Reads an address in its standard text form; undefined for names, for odd forms (`127.1`, `0x7f.1`) and with a zone (`fe80::1%eth0`). */
export const readAddress = (text: string): Address | undefined => {
  if (text.includes("%")) return undefined
  switch (net.isIP(text)) {
    case 4:
      return { family: 4, value: fromIpv4(text) }
    case 6:
      return { family: 6, value: fromIpv6(text) }
    default:
      return undefined
  }
}

const fromIpv4 = (text: string) => text.split(".").reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)

const fromIpv6 = (text: string) => {
  const [head = "", tail] = text.split("::")
  const front = groupsOf(head)
  const back = tail === undefined ? [] : groupsOf(tail)
  const gap = Array.from({ length: 8 - front.length - back.length }, () => 0n)
  return [...front, ...(tail === undefined ? [] : gap), ...back].reduce((value, group) => (value << 16n) | group, 0n)
}

/** The 16-bit groups of one side of `::`; a dotted end is two of them. */
const groupsOf = (text: string): ReadonlyArray<bigint> =>
  text === "" ? [] : text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [BigInt(`0x${group}`)]
    const value = fromIpv4(group)
    return [value >> 16n, value & 0xffffn]
  })

/** The bytes of an address in network order: 4 or 16. */
export const bytesOf = ({ family, value }: Address): Buffer =>
  Buffer.from(value.toString(16).padStart(widthOf(family) / 4, "0"), "hex")

/** Standard text of an address; IPv6 without `::`. */
export const addressText = (address: Address): string =>
  address.family === 4 ? bytesOf(address).join(".") : bytesOf(address).toString("hex").match(/.{4}/g)!.join(":")

/** Reads `ADDRESS` or `ADDRESS/BITS`. Bits behind the prefix must be zero: a rule that looks like one host is one. */
export const readRange = (text: string): Range | undefined => {
  const [, base = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = readAddress(base)
  if (address === undefined) return undefined
  const range = { ...address, bits: bits === undefined ? widthOf(address.family) : Number(bits) }
  if (range.bits > widthOf(address.family)) return undefined
  return prefixOf(range, range.bits) << hostBits(range) === range.value ? range : undefined
}

/** Numbers of bits as shifts take them, made once: each connection compares its address with dozens of ranges. */
const shifts: ReadonlyArray<bigint> = Array.from({ length: 129 }, (_, bits) => BigInt(bits))

const hostBits = ({ bits, family }: Range) => shifts[widthOf(family) - bits]!
const prefixOf = ({ family, value }: Address, bits: number) => value >> shifts[widthOf(family) - bits]!

export const contains = (range: Range, address: Address): boolean =>
  range.family === address.family && (range.value ^ address.value) >> hostBits(range) === 0n

export const isSameAddress = (a: Address, b: Address): boolean => a.family === b.family && a.value === b.value
