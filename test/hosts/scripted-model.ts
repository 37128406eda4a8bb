import * as http from "node:http"
import type { AddressInfo } from "node:net"
import type { Conversation, Dialect, ServerSentEvent, ToolCall } from "./dialects/dialect.ts"

/** Last words of the model: a host that prints them has played the whole script. */
export const FINISHED = "The script is finished."

const SEARCH = "ToolSearch"

const sse = ({ data, event }: ServerSentEvent) =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`

/**
 * A model API that plays a model by a script: it makes one call after the other and sees what each came to.
 * The place in the script is the number of results in the request, so a host may repeat a request.
 */
export const scriptedModel = (dialect: Dialect, script: ReadonlyArray<ToolCall>) => {
  let seen: Conversation = { tools: [], outputs: [] }
  const requests: Array<string> = []
  const headers: Array<http.IncomingHttpHeaders> = []
  const bodies: Array<string> = []
  let step = 0

  const answer = async (conversation: Conversation): Promise<ReadonlyArray<ServerSentEvent>> => {
    const { outputs, tools } = conversation
    const next = script[outputs.length]
    if (outputs.length >= seen.outputs.length) seen = { ...conversation, tools: tools.length > 0 ? tools : seen.tools }
    if (next === undefined) return dialect.say(FINISHED)
    await next.before?.()
    const name = dialect.nameOf(next.tool)
    // Claude Code loads tools on demand: a model asks for a tool before it calls the tool.
    return !tools.includes(name) && tools.includes(SEARCH)
      ? dialect.call(SEARCH, { query: `select:${name}`, max_results: 1 }, ++step)
      : dialect.call(name, typeof next.args === "function" ? next.args(outputs) : next.args, ++step)
  }

  const listener = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const pieces: Array<Buffer> = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const path = request.url ?? ""
    requests.push(`${request.method} ${path}`)
    headers.push(request.headers)
    const json = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
    }
    if (path.includes("count_tokens") || path.includes("countTokens")) {
      return json(200, { input_tokens: 1, totalTokens: 1 })
    }
    if (request.method !== "POST" || !dialect.serves(path)) return json(404, { error: { message: "not found" } })
    const text = Buffer.concat(pieces).toString("utf8")
    const body = JSON.parse(text) as { readonly stream?: boolean }
    const conversation = dialect.read(body)
    // Requests without tools are the host's own: titles, routing, checks of the key.
    const own = conversation.tools.length === 0
    if (!own) bodies.push(text)
    if (body.stream !== true && !path.includes("stream")) return json(200, dialect.document(own ? "{}" : FINISHED))
    response.writeHead(200, { "content-type": "text/event-stream" })
    for (const event of own ? dialect.say("{}") : await answer(conversation)) response.write(sse(event))
    response.end()
  }
  return {
    listener,
    /** What the model was last sent: the tools' names, and what each call of the script came to. */
    seen: () => seen,
    requests,
    /** Headers of each request. */
    headers,
    /** JSON of each request with tools. */
    bodies
  } as const
}

/** A scripted model on the loopback interface. */
export const startModel = async (dialect: Dialect, script: ReadonlyArray<ToolCall>) => {
  const { bodies, listener, requests, seen } = scriptedModel(dialect, script)
  const server = http.createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    requests,
    bodies,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  } as const
}
