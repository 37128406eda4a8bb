/** The part of the package that the tests use: its types are a package of their own. */
declare module "ws" {
  import type { EventEmitter } from "node:events"

  export default class WebSocket extends EventEmitter {
    constructor(address: string)
    send(data: string | Uint8Array): void
    ping(data: string): void
    close(code: number, reason: string): void
  }
}
