import type { IncomingMessage } from "node:http"
import { Duplex } from "node:stream"
import { WebSocket } from "ws"

// WebSockets of Node, without Effect. The build makes a separate file of this module, which a process reads with its first context over TLS.

/** Maximum bytes of a message that this side sends. */
const MESSAGE_BYTES = 262_144

/** Maximum bytes of a message that the door may send. */
const RECEIVED_BYTES = 4_194_304

/** Maximum characters of a refusal's text. */
const REFUSAL_CHARACTERS = 500

/** What a client shows to a door, and what it demands of one. */
export interface DoorOptions {
  readonly url: string
  readonly protocol: string
  readonly token: string
  readonly timeoutMs: number
  /** Certificates of the authority that vouches for the door. @default those of Node */
  readonly ca?: Buffer | undefined
  /** The client's own certificate and key. */
  readonly cert?: Buffer | undefined
  readonly key?: Buffer | undefined
}

/** Why a door was not opened. `status`: the door itself has refused. */
export class DoorClosed extends Error {
  readonly status: number | undefined
  readonly code: string | undefined

  constructor(message: string, status?: number, code?: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

interface Handle {
  readonly ref?: () => void
  readonly unref?: () => void
}

/** A WebSocket as a line of bytes. `destroy` ends the connection. */
class WebSocketLine extends Duplex {
  readonly #webSocket: WebSocket
  readonly #handle: Handle

  constructor(webSocket: WebSocket, handle: Handle) {
    super()
    this.#webSocket = webSocket
    this.#handle = handle
    webSocket.on("message", (bytes: Buffer) => {
      if (!this.push(bytes)) webSocket.pause()
    })
    // The reason of the end tells nothing that the next attempt would not tell.
    webSocket.on("error", () => {})
    webSocket.on("close", () => {
      this.push(null)
      this.destroy()
    })
    this.on("error", () => {})
  }

  override _read() {
    this.#webSocket.resume()
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: (error?: Error | null) => void) {
    const send = (at: number) => {
      const end = Math.min(at + MESSAGE_BYTES, bytes.length)
      this.#webSocket.send(bytes.subarray(at, end), (error) => {
        if (error !== undefined && error !== null) return done(error)
        if (end === bytes.length) return done()
        send(end)
      })
    }
    send(0)
  }

  override _final(done: () => void) {
    this.#webSocket.close(1000)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void) {
    this.#webSocket.terminate()
    done(error)
  }

  readonly destroySoon = () => {
    this.end()
  }

  readonly ref = () => {
    this.#handle.ref?.()
  }

  readonly unref = () => {
    this.#handle.unref?.()
  }
}

/** The text with which a door refuses. */
const refusalOf = (response: IncomingMessage) =>
  new Promise<DoorClosed>((resolve) => {
    let text = ""
    const done = () => resolve(new DoorClosed(text.trim(), response.statusCode ?? 0))
    response.setEncoding("utf8").on("data", (more: string) => {
      text = (text + more).slice(0, REFUSAL_CHARACTERS)
    }).on("end", done).on("error", done).on("close", done)
  })

/** Opens a line. Rejects with `DoorClosed`. `signal` ends the attempt. */
export const openLine = (
  { protocol, timeoutMs, token, url, ...tls }: DoorOptions,
  signal: AbortSignal
): Promise<WebSocketLine> =>
  new Promise((resolve, reject) => {
    const webSocket = new WebSocket(url, [protocol], {
      ...tls,
      headers: { Authorization: `Bearer ${token}` },
      minVersion: "TLSv1.3",
      maxPayload: RECEIVED_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
      handshakeTimeout: timeoutMs
    })
    const stop = () => webSocket.terminate()
    signal.addEventListener("abort", stop)
    let handle: Handle = {}
    const failed = (error: Error & { readonly code?: string | undefined }) => {
      signal.removeEventListener("abort", stop)
      reject(error instanceof DoorClosed ? error : new DoorClosed(error.message, undefined, error.code))
    }
    webSocket.on("error", failed)
    webSocket.on("upgrade", (response: IncomingMessage) => {
      handle = response.socket
    })
    webSocket.on("unexpected-response", (request: { destroy: () => void }, response: IncomingMessage) => {
      void refusalOf(response).then((refusal) => {
        failed(refusal)
        request.destroy()
      })
    })
    webSocket.on("open", () => {
      webSocket.off("error", failed)
      signal.removeEventListener("abort", stop)
      resolve(new WebSocketLine(webSocket, handle))
    })
  })
