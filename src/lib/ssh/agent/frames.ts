import { u32 } from "./bytes.ts"

/** A message of one client of the lent agent. Without bytes: the client has gone. */
export interface Frame {
  readonly client: number
  readonly message: Buffer
}

/** As OpenSSH's agent has it. */
const MESSAGE_BYTES = 256 * 1024
/** The number after those of clients: `pyro-ssh` listens. */
export const LISTENING = 32

/** Cuts the guest's bytes into frames. Undefined after invalid bytes: the guest is hostile. */
export const makeCutter = () => {
  let waiting = Buffer.alloc(0)
  return (bytes: Uint8Array): ReadonlyArray<Frame> | undefined => {
    waiting = Buffer.concat([waiting, bytes])
    const frames: Array<Frame> = []
    for (;;) {
      if (waiting.length < 8) return frames
      const client = waiting.readUInt32BE(0)
      const length = waiting.readUInt32BE(4)
      if (client > LISTENING || length > MESSAGE_BYTES) return undefined
      if (waiting.length < 8 + length) return frames
      frames.push({ client, message: Buffer.from(waiting.subarray(8, 8 + length)) })
      waiting = waiting.subarray(8 + length)
    }
  }
}

export const frameBytes = ({ client, message }: Frame): Buffer =>
  Buffer.concat([u32(client), u32(message.length), message])
