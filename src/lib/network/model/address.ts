import * as net from "node:net"
import { networkInterfaces } from "node:os"

/** An address as a number, so that prefixes are compared in every form of the text. */
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

/** Reads `ADDRESS` or `ADDRESS/BITS`. Bits after the prefix must be zero: a rule that looks like one host is one. */
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

/** A range that no policy opens by a name. */
interface DeniedRange extends Range {
  /** Kind of the range's addresses, as a noun phrase. */
  readonly kind: string
}

const METADATA = "an address of a metadata service"

/**
 * Ranges that are not reachable on the public internet, from the registries of special-purpose addresses (IANA, RFC 6890, as of 2026),
 * and the metadata services of clouds, some of which have public addresses. The ranges for documentation are left out: no network uses them.
 */
const RANGES: ReadonlyArray<readonly [range: string, kind: string]> = [
  ["0.0.0.0/8", "an address of \"this network\""],
  ["10.0.0.0/8", "a private address"],
  ["100.64.0.0/10", "an address of a carrier's NAT"],
  ["127.0.0.0/8", "a loopback address"],
  ["169.254.0.0/16", "a link-local address"],
  ["172.16.0.0/12", "a private address"],
  ["192.0.0.0/24", "an address of IETF protocols"],
  ["192.88.99.0/24", "an address of 6to4 relays"],
  ["192.168.0.0/16", "a private address"],
  ["198.18.0.0/15", "an address for benchmarks"],
  ["224.0.0.0/4", "a multicast address"],
  ["240.0.0.0/4", "a reserved address"],
  ["255.255.255.255/32", "the broadcast address"],
  // Amazon, Google, Azure, Oracle, DigitalOcean, OpenStack.
  ["169.254.169.254/32", METADATA],
  // Credentials of tasks and pods at Amazon (ECS, EKS).
  ["169.254.170.2/32", METADATA],
  ["169.254.170.23/32", METADATA],
  // Alibaba Cloud, Azure's WireServer, Oracle Cloud Classic, Tencent Cloud.
  ["100.100.100.200/32", METADATA],
  ["168.63.129.16/32", METADATA],
  ["192.0.0.192/32", METADATA],
  ["169.254.0.23/32", METADATA],
  // Everything but 2000::/3, the only global unicast addresses that are assigned (RFC 4291, 2.4).
  ["::/3", "no global address"],
  ["4000::/2", "no global address"],
  ["8000::/1", "no global address"],
  ["::/96", "an IPv4-compatible address"],
  ["::/128", "the unspecified address"],
  ["::1/128", "a loopback address"],
  ["::ffff:0:0/96", "an IPv4-mapped address"],
  ["64:ff9b::/96", "an address of NAT64"],
  ["64:ff9b:1::/48", "an address of NAT64"],
  ["100::/64", "an address that discards packets"],
  ["2001::/23", "an address of IETF protocols"],
  ["2001::/32", "an address of Teredo"],
  ["2002::/16", "an address of 6to4"],
  ["fc00::/7", "a unique local address"],
  ["fe80::/10", "a link-local address"],
  ["fec0::/10", "a site-local address"],
  ["ff00::/8", "a multicast address"],
  // Amazon (IMDS, EKS) and Google.
  ["fd00:ec2::254/128", METADATA],
  ["fd00:ec2::23/128", METADATA],
  ["fd20:ce::254/128", METADATA]
]

const deniedRanges: ReadonlyArray<DeniedRange> = RANGES.map(([text, kind]) => ({ ...readRange(text)!, kind }))

const ofFamily = (family: 4 | 6) => deniedRanges.filter((range) => range.family === family)
const byFamily = { 4: ofFamily(4), 6: ofFamily(6) }

/** The smallest denied range that has the address; undefined for public addresses. */
export const deniedRangeOf = (address: Address): DeniedRange | undefined => {
  let smallest: DeniedRange | undefined
  for (const range of byFamily[address.family]) {
    if (contains(range, address) && (smallest === undefined || range.bits > smallest.bits)) smallest = range
  }
  return smallest
}

/** The loopback of a host, and the addresses that lead there. */
export const loopbackRanges: ReadonlyArray<Range> = ["127.0.0.0/8", "::1", "0.0.0.0", "::"].map((text) =>
  readRange(text)!
)

/** Present addresses of this host, without loopback addresses: their whole range is denied. */
export const ownAddresses = (): ReadonlyArray<Address> =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ address: text }) => {
      const address = readAddress(text.replace(/%.*$/, ""))
      return address === undefined || deniedRangeOf(address)?.kind === "a loopback address" ? [] : [address]
    })
  )

/** The same for several judgements of one moment: the first that needs the addresses looks at them. */
export const ownAddressesOnce = (): () => ReadonlyArray<Address> => {
  let found: ReadonlyArray<Address> | undefined
  return () => found ??= ownAddresses()
}
