import { mkdtemp, rm } from "node:fs/promises"
import { connect, createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A longer path of a Unix socket is cut without an error. */
const MAX_PATH_BYTES = 103

/** A new folder that only this user can enter. */
const privateFolder = async () => {
  const folder = join(tmpdir(), "pyro-")
  const isShort = Buffer.byteLength(folder) + "xxxxxx/s".length <= MAX_PATH_BYTES
  return mkdtemp(isShort ? folder : "/tmp/pyro-")
}

const listening = (server: Server, path: string) =>
  new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(path, resolve)
  })

const bothEnds = (server: Server, path: string) =>
  new Promise<readonly [Socket, Socket]>((resolve, reject) => {
    const near = connect({ path, allowHalfOpen: true })
    near.pause()
    near.on("error", reject)
    server.once("connection", (far) => {
      far.on("error", () => {})
      resolve([near, far])
    })
  })

/**
 * Two connected Unix sockets, half-open after an end and unread. The first one can be sent to another process. Node has no
 * socketpair(2), so both meet in a folder that exists for a moment.
 */
export const socketPair = async (): Promise<readonly [near: Socket, far: Socket]> => {
  const folder = await privateFolder()
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  try {
    const path = join(folder, "s")
    await listening(server, path)
    return await bothEnds(server, path)
  } finally {
    server.close()
    await rm(folder, { recursive: true, force: true })
  }
}
