import * as http from "node:http"
import type { AddressInfo } from "node:net"
import type { Turn } from "./responses-stand-in.ts"

interface Body {
  readonly messages: ReadonlyArray<{ readonly role: string; readonly content: string; readonly tool_call_id?: string }>
  readonly tools: ReadonlyArray<{ readonly type: string; readonly function: { readonly name: string } }>
}

/** An imitation of the Chat Completions API on the loopback interface, whose model says one turn after the other. */
export const startChatApi = async (key: string, turns: ReadonlyArray<Turn>) => {
  let seen: Body = { messages: [], tools: [] }
  /** The turn that a request asks for: the number of the model's turns in the request. */
  const answer = (body: Body) => {
    seen = body
    const at = body.messages.filter(({ role }) => role === "assistant").length
    const turn = turns[at]
    if (turn === undefined || typeof turn === "string") return { role: "assistant", content: turn ?? "" }
    const tool_calls = turn.map(([name, args], number) => ({
      id: `call_${at}_${number}`,
      type: "function",
      function: { name, arguments: JSON.stringify(args) }
    }))
    return { role: "assistant", content: null, tool_calls }
  }
  const server = http.createServer(async (request, response) => {
    const pieces: Array<Buffer> = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const isKnown = request.url === "/v1/chat/completions" && request.headers.authorization === `Bearer ${key}`
    if (!isKnown) return void response.writeHead(401).end("no such key or path")
    const message = answer(JSON.parse(Buffer.concat(pieces).toString()) as Body)
    response.writeHead(200, { "content-type": "application/json" })
    return void response.end(JSON.stringify({ choices: [{ index: 0, message }] }))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    /** Names of the tools that the model was told of. */
    tools: () => seen.tools.map(({ function: { name } }) => name),
    /** Answers of the tools, in order. */
    outputs: () => seen.messages.filter(({ role }) => role === "tool").map(({ content }) => content),
    instructions: () => seen.messages.find(({ role }) => role === "system")?.content,
    close: () => new Promise<unknown>((resolve) => server.close(resolve).closeAllConnections())
  } as const
}
