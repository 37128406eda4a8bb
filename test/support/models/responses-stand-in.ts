import * as http from "node:http"
import type { AddressInfo } from "node:net"

/** A JSON Schema as a request brings it. */
interface Sent {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Sent>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: unknown
  readonly items?: Sent
  readonly anyOf?: ReadonlyArray<Sent>
}

export interface SentTool {
  readonly type: string
  readonly name: string
  readonly strict: boolean
  readonly parameters: Sent
}

interface Body {
  readonly tools: ReadonlyArray<SentTool>
  readonly input: ReadonlyArray<{ readonly type?: string; readonly call_id?: string; readonly output?: string }>
  readonly previous_response_id?: string
}

/** What the model says: calls of functions, several at once, or its last words. */
export type Turn = ReadonlyArray<readonly [name: string, args: object]> | string

/** Keywords that strict mode takes. */
const KEYWORDS = new Set(
  ("type description enum const properties required additionalProperties items anyOf pattern format multipleOf maximum " +
    "exclusiveMaximum minimum exclusiveMinimum minItems maxItems").split(" ")
)

const named = (schema: Sent) => Object.entries(schema.properties ?? {})

/** What strict mode has against a schema. */
const against = (schema: Sent, at: string): ReadonlyArray<string> => [
  ...Object.keys(schema).filter((key) => !KEYWORDS.has(key)).map((key) => `${at}: '${key}' is not permitted`),
  ...(schema.type === undefined && schema.anyOf === undefined ? [`${at}: schema must have a 'type' key`] : []),
  ...(schema.type === "object" && schema.additionalProperties !== false
    ? [`${at}: 'additionalProperties' is required to be supplied and to be false`]
    : []),
  ...(schema.type === "object" && named(schema).some(([name]) => schema.required?.includes(name) !== true)
    ? [`${at}: 'required' is required to be an array including every key in properties`]
    : []),
  ...(schema.type === "array" && schema.items === undefined ? [`${at}: array schema missing items`] : []),
  ...named(schema).flatMap(([name, one]) => against(one, `${at}.${name}`)),
  ...(schema.items === undefined ? [] : against(schema.items, `${at}[]`)),
  ...(schema.anyOf ?? []).flatMap((one, index) => against(one, `${at}.anyOf.${index}`))
]

const againstTool = ({ name, parameters, strict, type }: SentTool): ReadonlyArray<string> => [
  ...(type === "function" && /^[A-Za-z0-9_-]{1,64}$/.test(name) ? [] : [`${name}: no function tool`]),
  ...(parameters.type === "object" && parameters.anyOf === undefined ? [] : [`${name}: schema must be an object`]),
  ...(strict ? against(parameters, name) : [`${name}: not strict`])
]

/** Arguments as constrained decoding writes them: every property is there. */
const written = ({ parameters }: SentTool, args: object) => {
  const unknown = Object.keys(args).filter((name) => !(name in (parameters.properties ?? {})))
  if (unknown.length > 0) throw new Error(`the script has arguments that no schema has: ${unknown.join(", ")}`)
  return JSON.stringify({ ...Object.fromEntries(named(parameters).map(([name]) => [name, null])), ...args })
}

/**
 * A stand-in of OpenAI's Responses API on the loopback interface: refuses what that refuses of tools and of conversations, and plays a
 * model's part by a script. `outputs` are what the calls came to, in the order in which they were made.
 */
export const startResponsesApi = async (key: string, script: ReadonlyArray<Turn>) => {
  const outputs: Array<string> = []
  let turn = 0
  let pending: ReadonlyArray<string> = []

  const answer = ({ input, previous_response_id, tools }: Body): object => {
    const complaints = tools.flatMap(againstTool)
    if (complaints.length > 0) throw new Error(complaints.join("; "))
    if (previous_response_id !== (turn === 0 ? undefined : `resp_${turn}`)) throw new Error("no such previous response")
    for (const id of pending) {
      const came = input.filter(({ call_id, type }) => type === "function_call_output" && call_id === id)
      if (came.length !== 1) throw new Error(`No tool output found for function call ${id}.`)
      outputs.push(String(came[0]!.output))
    }
    if (turn > 0 && input.length !== pending.length) throw new Error("there is more than what was called for")
    const says = script[turn++] ?? ""
    const calls = typeof says === "string" ? [] : says.map(([name, args], index) => {
      const tool = tools.find((one) => one.name === name)
      if (tool === undefined) throw new Error(`no tool ${name}`)
      return { type: "function_call", call_id: `call_${turn}_${index}`, name, arguments: written(tool, args) }
    })
    pending = calls.map(({ call_id }) => call_id)
    const message = { type: "message", role: "assistant", content: [{ type: "output_text", text: says }] }
    return {
      id: `resp_${turn}`,
      object: "response",
      output: [{ type: "reasoning", summary: [] }, ...(typeof says === "string" ? [message] : calls)]
    }
  }

  const server = http.createServer(async (request, response) => {
    const reply = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
    try {
      if (request.headers.authorization !== `Bearer ${key}`) return reply(401, { error: { message: "no such key" } })
      if (request.method !== "POST" || request.url !== "/v1/responses") return reply(404, { error: { message: "?" } })
      const pieces: Array<Buffer> = []
      for await (const piece of request) pieces.push(piece as Buffer)
      return reply(200, answer(JSON.parse(Buffer.concat(pieces).toString("utf8")) as Body))
    } catch (cause) {
      return reply(400, { error: { type: "invalid_request_error", message: (cause as Error).message } })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, outputs, close } as const
}
