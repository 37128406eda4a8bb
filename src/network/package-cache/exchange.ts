import type { IncomingMessage, ServerResponse } from "node:http"
import type { CacheAccess } from "./access.ts"
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
}

/** Answers with a sentence. */
export const refuse = ({ response }: Pick<Exchange, "response">, status: number, sentence: string): void => {
  if (response.headersSent) return void response.destroy()
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" })
  response.end(`${sentence}\n`)
}
