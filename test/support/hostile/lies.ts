import {
  bytes,
  encodePayload,
  type Field,
  offset,
  rest,
  str,
  struct,
  u32,
  u64,
  u8
} from "../guest-channel/guest-wire.ts"
import type { Random } from "./random.ts"

const walked = struct({
  type: u8,
  mode: u32,
  uid: u32,
  gid: u32,
  size: offset,
  ino: u64,
  mtimeNs: u64,
  ctimeNs: u64,
  nlink: u32,
  path: str,
  linkTarget: bytes
})
const side = struct({ type: u8, mode: u32, size: offset })
const compared = struct({ old: side, new: side, path: str, oldLink: bytes, newLink: bytes })
const fileState = struct({ flags: u8, mode: u32, size: offset, version: u64, content: rest })

/** Names that lead out, steer a terminal, or are none; `outside` is where nothing may ever appear. */
const names = (outside: string): ReadonlyArray<string> => [
  "a",
  "a/b",
  "src/index.js",
  "b",
  "..",
  ".",
  "../canary/planted",
  "a/../../../canary/planted",
  `${outside}/planted`,
  `/proc/self/cwd/${outside}/planted`,
  "a//b",
  "",
  ".git/hooks/post-checkout",
  "a/.GIT/config",
  ".envrc",
  "\u001b]0;title\u0007\u001b[2J",
  "line\nbreak",
  "a/" + "d/".repeat(1_500) + "deep",
  "n".repeat(5_000),
  "\u202egnp.exe"
]

const letters = [..."fdlcbps"].map((letter) => letter.charCodeAt(0))
const recordOf = <A>(field: Field<A>, value: A) => {
  const payload = encodePayload(field, value)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(payload.length)
  return Buffer.concat([head, payload])
}

/** Well-formed content that is not true: the channel takes it, so that what works with it has to see. */
export class Lies {
  readonly #random: Random
  readonly #names: ReadonlyArray<string>

  constructor(random: Random, outside: string) {
    this.#random = random
    this.#names = names(outside)
  }

  #name() {
    const random = this.#random
    if (random.chance(0.1)) return random.bytes(random.between(1, 300)).map((byte) => byte === 0 ? 1 : byte)
    return random.chance(0.5) ? `f${random.below(1_000)}` : random.pick(this.#names)
  }

  #size() {
    return this.#random.pick([0, 1, 5, 4_096, 70_000, 2 ** 31, 2 ** 53 - 1])
  }

  #mode() {
    return this.#random.pick([0o644, 0o755, 0o7777, 0, 0o4755])
  }

  walk(): Buffer {
    const random = this.#random
    return Buffer.concat(Array.from({ length: random.between(1, 60) }, () =>
      recordOf(walked, {
        type: random.chance(0.6) ? random.pick([0x66, 0x64]) : random.pick(letters),
        mode: random.chance(0.9) ? this.#mode() : 0xffff_ffff,
        uid: random.pick([0, 1_000, 0xffff_ffff]),
        gid: 0,
        size: this.#size(),
        ino: BigInt(random.below(100)),
        mtimeNs: random.pick([0n, 1n << 63n, 0xffff_ffff_ffff_ffffn, 1_700_000_000_000_000_000n]),
        ctimeNs: 0n,
        nlink: 1,
        path: this.#name(),
        linkTarget: Buffer.from(random.chance(0.3) ? random.pick(this.#names) : "")
      })))
  }

  compare(): Buffer {
    const random = this.#random
    const one = () => ({
      type: random.chance(0.3) ? 0 : random.chance(0.8) ? 0x66 : random.pick(letters),
      mode: this.#mode(),
      size: this.#size()
    })
    return Buffer.concat(Array.from({ length: random.between(1, 60) }, () =>
      recordOf(compared, {
        old: one(),
        new: one(),
        // Most of them are names, so that not each is the end of the channel.
        path: random.chance(0.98) ? `f${random.below(1_000)}` : this.#name(),
        oldLink: Buffer.from(random.pick(["", "../../canary/planted"])),
        newLink: Buffer.from(random.pick(["", "/etc/passwd"]))
      })))
  }

  file(content: Buffer): Buffer {
    const random = this.#random
    return Buffer.from(encodePayload(fileState, {
      flags: random.below(2),
      mode: this.#mode(),
      size: this.#size(),
      version: BigInt(random.between(1, 1_000)),
      content
    }))
  }

  /** As many files as were asked for. */
  contents(files: number, content: () => Buffer): Buffer {
    const random = this.#random
    return Buffer.concat(Array.from({ length: files }, () => {
      const errno = random.chance(0.8) ? 0 : random.pick([2, 13, 20, 22, 27, 40, 4_000_000_000])
      const bytes = errno === 0 ? content() : Buffer.alloc(0)
      const head = Buffer.alloc(4)
      head.writeUInt32BE(bytes.length)
      const end = Buffer.alloc(16)
      end.writeUInt32BE(errno, 4)
      end.writeBigUInt64BE(errno === 27 ? BigInt(2 ** 40) : BigInt(bytes.length), 8)
      return bytes.length === 0 ? end : Buffer.concat([head, bytes, end])
    }))
  }
}
