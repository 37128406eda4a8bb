import type { IncomingMessage, ServerResponse } from "node:http"
import type { CacheAccess } from "../cache-access.ts"
import type { Upstream } from "./upstream.ts"

/** What a connection of a guest has got so far. */
export interface Tally {
  address: string | undefined
  fetchedBytes: number
  cachedBytes: number
  denial: { readonly detail: string; readonly option?: string | undefined } | undefined
}

/** One request of a guest, and where its answer goes. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly access: CacheAccess
  readonly upstream: Upstream
  readonly tally: Tally
  /** Aborted when the guest's connection ends. A response that waits for its turn on the connection never tells. */
  readonly gone: AbortSignal
}

/** What a guest sends after such a request may be the rest of it. */
const ENDS_CONNECTION = new Set([400, 405, 417])

/** Answers with a sentence. */
export const refuse = ({ response }: Pick<Exchange, "response">, status: number, sentence: string): void => {
  if (response.headersSent) return void response.destroy()
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    ...(ENDS_CONNECTION.has(status) ? { connection: "close" } : {})
  })
  response.end(`${sentence}\n`)
}
