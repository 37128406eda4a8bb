import { Effect } from "effect"
import { connect } from "node:net"
import { u32 } from "./bytes.ts"

const MESSAGE_BYTES = 256 * 1024

/** Sends one message to the person's agent. Undefined if there is no answer. */
export const askAgent = (socketPath: string, message: Uint8Array): Effect.Effect<Buffer | undefined> =>
  Effect.callback((resume) => {
    const socket = connect(socketPath)
    let answer = Buffer.alloc(0)
    const end = (result: Buffer | undefined) => {
      socket.destroy()
      resume(Effect.succeed(result))
    }
    socket.on("error", () => end(undefined))
    socket.on("close", () => end(undefined))
    socket.on("data", (bytes: Buffer) => {
      answer = Buffer.concat([answer, bytes])
      if (answer.length < 4) return
      const length = answer.readUInt32BE(0)
      if (length > MESSAGE_BYTES) return end(undefined)
      if (answer.length >= 4 + length) end(answer.subarray(4, 4 + length))
    })
    socket.write(Buffer.concat([u32(message.length), message]))
    return Effect.sync(() => socket.destroy())
  })
