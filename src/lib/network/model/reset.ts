import type { Socket } from "node:net"

/** Resets a TCP connection. Node knows no reset of a Unix socket: its other end sees the end, or a reset if bytes are unread. */
export const reset = (socket: Socket): void => {
  try {
    socket.resetAndDestroy()
  } catch {
    // The socket of an intercepted connection (ERR_INVALID_HANDLE_TYPE).
    socket.destroy()
  }
}

/** A socket whose sides have both ended closes; any other is reset. */
export const release = (socket: Socket): void => {
  if (socket.readableEnded && socket.writableFinished) socket.destroy()
  else reset(socket)
}
