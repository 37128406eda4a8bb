/** Reads the fields of an SSH message (RFC 4251). Throws `Malformed` after its end: the bytes may come from a hostile guest. */
export class Malformed extends Error {}

export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new Malformed()
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  u8(): number {
    return this.#take(1)[0]!
  }

  u32(): number {
    return this.#take(4).readUInt32BE()
  }

  string(): Buffer {
    return this.#take(this.u32())
  }

  text(): string {
    return this.string().toString("latin1")
  }

  /** Throws if bytes are left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new Malformed()
  }
}

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
