const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The part of Node's Buffer that the wire uses, for the browser. */
export class Buffer extends Uint8Array {
  static allocUnsafeSlow(size: number) {
    return new Buffer(size)
  }

  /** Of a text: its UTF-8. Of memory: a view. Of bytes: a copy. */
  static override from(source: unknown, from?: unknown, length?: unknown): Buffer {
    if (typeof source === "string") return new Buffer(new TextEncoder().encode(source))
    if (source instanceof ArrayBuffer) {
      return new Buffer(source, from as number | undefined, length as number | undefined)
    }
    return new Buffer(source as Uint8Array)
  }

  static concat(
    pieces: ReadonlyArray<Uint8Array>,
    size = pieces.reduce((sum, { length }) => sum + length, 0)
  ) {
    const all = new Buffer(size)
    let at = 0
    for (const piece of pieces) {
      all.set(piece, at)
      at += piece.length
    }
    return all
  }

  readUInt32BE(at: number) {
    return view(this).getUint32(at)
  }

  writeUInt32BE(value: number, at: number) {
    view(this).setUint32(at, value)
    return at + 4
  }

  override toString() {
    return new TextDecoder().decode(this)
  }
}
