import { Effect } from "effect"
import * as http from "node:http"
import * as net from "node:net"
import WebSocket from "ws"
import { PAGE_KEY, PAGE_PROTOCOL, PAGE_RPC_PATH } from "../../../src/contract/wire/page.ts"

/** What a browser keeps of an opened page. */
export interface Browser {
  readonly port: number
  readonly cookie: string
  readonly key: string
}

export interface Got {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

/** Asks the page's port as `curl --path-as-is` does. */
export const get = (port: number, target: string, headers: Record<string, string> = {}, method = "GET") =>
  Effect.callback<Got>((resume) => {
    const request = http.request(
      { host: "127.0.0.1", port, path: target, headers, method, agent: false },
      (response) => {
        const parts: Array<Buffer> = []
        response.on("data", (part: Buffer) => parts.push(part))
        response.on("end", () =>
          resume(Effect.succeed({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(parts).toString()
          })))
      }
    )
    request.on("error", (cause) => resume(Effect.die(cause)))
    request.end()
  })

/** Opens a URL of the page as a browser does. */
export const browse = ({ port, token }: { readonly port: number; readonly token: string }) =>
  Effect.map(get(port, `/?token=${token}`), ({ headers, text }): Browser => ({
    port,
    cookie: headers["set-cookie"]![0]!.split(";")[0]!,
    key: new RegExp(`#${PAGE_KEY}=([A-Za-z0-9_-]+)`).exec(text)![1]!
  }))

export const originOf = (port: number) => `http://127.0.0.1:${port}`

/** Opens a WebSocket, and gives it, or the status of the refusal. */
export const upgrade = (
  port: number,
  { headers, protocols, target = PAGE_RPC_PATH }: {
    readonly headers: Record<string, string>
    readonly protocols: ReadonlyArray<string>
    readonly target?: string
  }
) =>
  Effect.acquireRelease(
    Effect.callback<WebSocket | number>((resume) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${target}`, protocols, { headers })
      socket.on("open", () => resume(Effect.succeed(socket)))
      socket.on("unexpected-response", (_: unknown, { statusCode }: http.IncomingMessage) => {
        resume(Effect.succeed(statusCode ?? 0))
        socket.terminate()
      })
      socket.on("error", () => resume(Effect.succeed(0)))
    }),
    (socket) => Effect.sync(() => typeof socket === "number" ? undefined : socket.terminate())
  )

/** What a page's WebSocket has. */
export const ownRequest = ({ cookie, key, port }: Browser) => ({
  headers: { Cookie: cookie, Origin: originOf(port) },
  protocols: [PAGE_PROTOCOL, key]
})

/** A TCP connection, from an address of the loopback. */
export const connectTcp = (port: number, localAddress = "127.0.0.1") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = net.connect({ port, host: "127.0.0.1", localAddress })
      socket.on("error", () => {})
      return socket
    }),
    (socket) => Effect.sync(() => void socket.destroy())
  )

/** All that a connection receives until its end. */
export const untilClosed = (socket: net.Socket) =>
  Effect.callback<string>((resume) => {
    const parts: Array<Buffer> = []
    socket.on("data", (part) => parts.push(part))
    socket.on("close", () => resume(Effect.succeed(Buffer.concat(parts).toString())))
  })
