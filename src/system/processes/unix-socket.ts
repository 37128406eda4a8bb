import { Data, Effect, Schedule, Scope } from "effect"
import type * as Socket from "effect/socket/Socket"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import type { Duplex } from "node:stream"

class ConnectFailed extends Data.TaggedError("ConnectFailed")<{ readonly path: string; readonly detail: string }> {
  override get message() {
    return `${this.path}: ${this.detail}`
  }
}

/** What a connection needs of a socket, or of a process in its place. */
export type LineSocket = Duplex & {
  readonly ref: () => unknown
  readonly unref: () => unknown
  readonly destroySoon: () => unknown
}

/** Memory for all reads of a connection, and who gets them in place of the socket's own listeners. */
export type ReadInto = net.OnReadOpts

/**
 * Connects to a Unix socket with a path of any length. A socket address holds 107 bytes, and Node 20 silently cuts longer ones, so the path
 * goes through the open folder in `/proc/self/fd`. The Scope destroys the connection.
 */
export const connectUnix = (file: string, options: { readonly onread?: ReadInto } = {}) =>
  Effect.acquireRelease(
    Effect.callback<net.Socket, ConnectFailed>((resume) => {
      const failed = (cause: Error) => resume(new ConnectFailed({ path: file, detail: cause.message }))
      let folder: number
      try {
        folder = fs.openSync(path.dirname(file), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
      } catch (cause) {
        return failed(cause as Error)
      }
      const socket = net.connect({ ...options, path: `/proc/self/fd/${folder}/${path.basename(file)}` })
      let isOpen = true
      // Node has called connect(2) when net.connect returns. Deno calls it later, and needs the folder until then.
      const closeFolder = () => {
        if (isOpen) fs.closeSync(folder)
        isOpen = false
      }
      socket.once("close", closeFolder)
      socket.once("error", failed)
      socket.once("connect", () => {
        closeFolder()
        socket.off("error", failed)
        // Each write that waits for the peer has listeners of its own.
        socket.setMaxListeners(0)
        socket.on("error", () => {}) // from now on "close" tells, and whoever uses it listens
        resume(Effect.succeed(socket))
      })
      return Effect.sync(() => void socket.destroy())
    }),
    (socket) => Effect.sync(() => void socket.destroy())
  )

/** Waits until the folder has an entry of this name, without polling. Returns at once if the folder cannot be watched. */
const untilThere = (file: string) =>
  Effect.callback<void>((resume) => {
    let watcher: fs.FSWatcher | undefined
    const done = () => {
      watcher?.close()
      resume(Effect.void)
    }
    try {
      watcher = fs.watch(path.dirname(file), () => void (fs.existsSync(file) && done()))
    } catch {
      return done()
    }
    watcher.on("error", done)
    if (fs.existsSync(file)) done()
    return Effect.sync(() => watcher?.close())
  })

/** Connects to a socket that another process is about to create. */
export const connectUnixSoon = (file: string, options: { readonly timeoutMs: number }) =>
  untilThere(file).pipe(
    // Between bind(2) and listen(2) of the other process the socket exists and refuses.
    Effect.andThen(Effect.retry(connectUnix(file), Schedule.spaced("1 millis"))),
    Effect.timeoutOrElse({
      duration: options.timeoutMs,
      orElse: () =>
        Effect.fail(new ConnectFailed({ path: file, detail: `no such socket after ${options.timeoutMs} ms` }))
    })
  )

/**
 * The same socket, but writes after the end of its connection are dropped. In Effect 4.1 they wait for a next connection, which a socket of
 * Node never has, or for room in a destroyed connection. An answer to a client that is gone would wait for ever, and would block the end of
 * the server.
 */
export const withoutLateWrites = (
  socket: Socket.Socket,
  isDestroyed: () => boolean
): Socket.Socket => {
  let isOver = false
  const unlessOver = <A, E>(write: Effect.Effect<A, E>) =>
    Effect.suspend(() => isOver || isDestroyed() ? Effect.void : Effect.asVoid(write))
  return {
    ...socket,
    reader: Effect.tap(socket.reader, () =>
      Effect.flatMap(Effect.scope, (scope) => {
        isOver = false
        // The Scope runs this before the reader's own end.
        return Scope.addFinalizer(scope, Effect.sync(() => void (isOver = true)))
      })),
    writer: Effect.map(socket.writer, ({ write, writeAll }) => ({
      write: (chunk) => unlessOver(write(chunk)),
      writeAll: (chunks) => unlessOver(writeAll(chunks))
    }))
  }
}

/**
 * The same socket, whose failed writes only end the connection. The library's server takes a failed write for an interruption by the client, but a
 * client whose connection is lost may come again.
 */
export const withoutFailedWrites = (socket: Socket.Socket, end: () => void): Socket.Socket => {
  const orEnd = (write: Effect.Effect<unknown, Socket.SocketError>) =>
    Effect.catch(Effect.asVoid(write), () => Effect.sync(end))
  return {
    ...socket,
    writer: Effect.map(socket.writer, ({ write, writeAll }) => ({
      write: (chunk) => orEnd(write(chunk)),
      writeAll: (chunks) => orEnd(writeAll(chunks))
    }))
  }
}
