import { Effect } from "effect"
import * as net from "node:net"

/** How a connection ends: at once, or after so many bytes to one of its sides. */
export interface Break {
  /** Bytes that still reach the daemon. The last frame may be half. */
  readonly toDaemon?: number
  /** Bytes that still reach the client. */
  readonly toClient?: number
  /** The line falls silent and does not end. */
  readonly stalls?: boolean
}

interface Side {
  left: number
  readonly from: net.Socket
  readonly to: net.Socket
}

/** A line between clients and a daemon's socket, which breaks as a test says. */
export const makeBadLine = (socket: string, path = `${socket}.line`) =>
  Effect.gen(function*() {
    const breaks: Array<Break> = []
    const open = new Set<() => void>()
    const count = { connections: 0, toDaemon: 0, toClient: 0, refused: 0 }
    let isAway = false

    const accept = (client: net.Socket) => {
      if (isAway) {
        count.refused++
        client.destroy()
        return
      }
      count.connections++
      const daemon = net.connect(socket)
      const { stalls = false, toClient = Infinity, toDaemon = Infinity } = breaks.shift() ?? {}
      const end = () => {
        open.delete(end)
        if (stalls) return
        client.destroy()
        daemon.destroy()
      }
      open.add(end)
      const pass = (side: Side, name: "toDaemon" | "toClient") =>
        side.from.on("data", (bytes: Buffer) => {
          const passed = bytes.subarray(0, side.left)
          count[name] += passed.length
          side.left -= passed.length
          if (side.left > 0) {
            if (!side.to.write(passed)) {
              side.from.pause()
              side.to.once("drain", () => side.from.resume())
            }
            return
          }
          if (passed.length > 0) side.to.write(passed, end)
          else end()
          side.left = 0
        })
      pass({ left: toDaemon, from: client, to: daemon }, "toDaemon")
      pass({ left: toClient, from: daemon, to: client }, "toClient")
      for (const one of [client, daemon]) {
        one.on("error", () => {})
        one.on("close", () => {
          client.destroy()
          daemon.destroy()
          open.delete(end)
        })
      }
    }
    const server = net.createServer(accept)
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(path, () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.close()
          for (const end of open) end()
        })
    )
    return {
      path,
      count,
      /** How the next connections break, one after the other. Later ones hold. */
      breaks: (...next: ReadonlyArray<Break>) => void breaks.splice(0, breaks.length, ...next),
      /** Ends all connections. */
      cut: Effect.sync(() => {
        for (const end of [...open]) end()
      }),
      /** Refuses connections from now on, or takes them again. */
      away: (now: boolean) => Effect.sync(() => void (isAway = now))
    } as const
  })
