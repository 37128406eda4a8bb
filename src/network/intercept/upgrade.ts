import type { ClientRequest, IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import type { AnswerFilter } from "./answers.ts"
import type { InterceptedConnection } from "./connection.ts"
import { type Header, pairs } from "./placeholders.ts"

const hasBody = ({ headers }: IncomingMessage) =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0

/** Headers that describe the connection, which ends with this answer. */
const OF_CONNECTION = /^(connection|keep-alive|transfer-encoding|upgrade)$/i

/**
 * Passes on a request that asks for another protocol, such as WebSocket, and then the bytes of this protocol, without values in those of the
 * server. A server that
 * refuses the protocol gives its answer, and the connection ends.
 */
export const upgrade = (
  { inward, outward }: InterceptedConnection,
  filter: AnswerFilter,
  incoming: IncomingMessage,
  head: Buffer,
  outgoing: ClientRequest
): void => {
  const writeHead = (answer: IncomingMessage, headers: ReadonlyArray<Header>) => {
    const lines = filter.headers(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    inward.write(
      `HTTP/1.1 ${answer.statusCode} ${filter.text(answer.statusMessage ?? "")}\r\n${lines.join("")}\r\n`,
      "latin1"
    )
  }
  outgoing.once("error", () => inward.destroy())
  if (hasBody(incoming)) {
    inward.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\npyro: a request for another protocol has a body\n")
    return void outgoing.destroy()
  }
  outgoing.once("upgrade", (answer, socket: Duplex, rest: Buffer) => {
    writeHead(answer, pairs(answer.rawHeaders))
    const body = filter.body()
    if (rest.length > 0) body.write(rest)
    if (head.length > 0) socket.write(head)
    outward.once("error", () => inward.destroy())
    inward.pipe(socket).pipe(body).pipe(inward)
  })
  outgoing.once("response", (answer) => {
    const headers = pairs(answer.rawHeaders).filter(([name]) => !OF_CONNECTION.test(name))
    writeHead(answer, [...headers, ["Connection", "close"]])
    answer.pipe(filter.body()).pipe(inward)
  })
  outgoing.end()
}
