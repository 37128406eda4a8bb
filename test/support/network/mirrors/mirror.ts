import { createHash } from "node:crypto"
import * as fs from "node:fs"
import type * as http from "node:http"
import { pipeline } from "node:stream/promises"

/** The servers of a package registry. */
export interface Mirror {
  /** Names that the mirror answers for. */
  readonly hosts: ReadonlyArray<string>
  readonly answer: (request: http.IncomingMessage, response: http.ServerResponse) => Promise<void>
}

/** Answers that never change, as tarballs. */
export const IMMUTABLE = "public, immutable, max-age=31557600"

const validatorsMatch = (request: http.IncomingMessage, etag: string, modified?: Date) => {
  if (request.headers["if-none-match"] !== undefined) return request.headers["if-none-match"] === etag
  const since = request.headers["if-modified-since"]
  return since !== undefined && modified !== undefined && Date.parse(since) >= Math.floor(+modified / 1000) * 1000
}

const NO_BODY = "HEAD"

/** Answers with a text. */
export const sendText = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  text: string,
  headers: Readonly<Record<string, string>>
) => {
  const etag = `"${createHash("sha256").update(text).digest("hex").slice(0, 32)}"`
  response.setHeader("ETag", etag)
  if (validatorsMatch(request, etag)) return void response.writeHead(304).end()
  const body = Buffer.from(text)
  response.writeHead(200, { "Content-Length": body.length, "Cache-Control": "public, max-age=300", ...headers })
  response.end(request.method === NO_BODY ? undefined : body)
}

/** Answers with a file. */
export const sendFile = async (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  file: string,
  headers: Readonly<Record<string, string>>
) => {
  const { mtime, size } = fs.statSync(file)
  const etag = `"${size.toString(16)}-${(+mtime).toString(16)}"`
  response.setHeader("ETag", etag)
  if (validatorsMatch(request, etag, mtime)) return void response.writeHead(304).end()
  response.writeHead(200, { "Content-Length": size, "Last-Modified": mtime.toUTCString(), ...headers })
  if (request.method === NO_BODY) return void response.end()
  await pipeline(fs.createReadStream(file), response)
}

export const notFound = (response: http.ServerResponse) => {
  response.writeHead(404, { "Content-Type": "text/plain" }).end("not found\n")
}
