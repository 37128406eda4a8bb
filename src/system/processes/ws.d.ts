/** The part of the package that pyro uses: its types are a package of their own. */
declare module "ws" {
  import type { EventEmitter } from "node:events"
  import type { IncomingMessage } from "node:http"
  import type { Duplex } from "node:stream"

  export class WebSocket extends EventEmitter {
    constructor(
      address: string,
      protocols?: ReadonlyArray<string>,
      options?: {
        readonly headers?: Readonly<Record<string, string>>
        readonly origin?: string
        readonly maxPayload?: number
        readonly perMessageDeflate?: boolean
        readonly followRedirects?: boolean
        readonly handshakeTimeout?: number
        readonly minVersion?: "TLSv1.3"
        readonly ca?: Buffer | undefined
        readonly cert?: Buffer | undefined
        readonly key?: Buffer | undefined
      }
    )
    /** 0: connecting, 1: open, 2: closing, 3: closed. */
    readonly readyState: number
    readonly protocol: string
    /** Bytes of messages that are not written to the connection yet. */
    readonly bufferedAmount: number
    /** `sent` is called when the message is written, and with an error when the connection ends first. */
    send(data: string | Uint8Array, sent?: (error?: Error) => void): void
    ping(data?: string): void
    /** Reads nothing more until `resume`. */
    pause(): void
    resume(): void
    close(code?: number, reason?: string): void
    terminate(): void
  }
  export default WebSocket

  export class WebSocketServer {
    constructor(options: {
      readonly noServer: true
      readonly clientTracking: boolean
      readonly maxPayload: number
      readonly perMessageDeflate: boolean
      readonly handleProtocols: (offered: Set<string>) => string | false
    })
    handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      opened: (webSocket: WebSocket) => void
    ): void
  }
}
