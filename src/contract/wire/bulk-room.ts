/** Room before bytes for the head of their message. A message with a longer head is copied. */
const ROOM_BYTES = 1_024

/** Marks memory with room. A WeakSet would keep young memory until a full collection. */
const HAS_ROOM = Symbol("pyro/hasRoom")
interface Marked {
  [HAS_ROOM]?: true
}

/** Memory for bytes of a message, which is made around them without a copy. One message at a time. */
export const allocateWithRoom = (size: number): Buffer => {
  const all = Buffer.allocUnsafeSlow(ROOM_BYTES + size)
  ;(all.buffer as Marked)[HAS_ROOM] = true
  return all.subarray(ROOM_BYTES)
}

/** The bytes and `headBytes` in front of them, if the bytes are the first in such memory. */
export const roomBefore = (bytes: Uint8Array, headBytes: number): Buffer | undefined =>
  headBytes <= ROOM_BYTES && bytes.byteOffset === ROOM_BYTES && (bytes.buffer as Marked)[HAS_ROOM] === true
    ? Buffer.from(bytes.buffer as ArrayBuffer, ROOM_BYTES - headBytes, headBytes + bytes.length)
    : undefined
