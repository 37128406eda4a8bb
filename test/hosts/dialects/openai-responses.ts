import { type Dialect, type ServerSentEvent, textOf } from "./dialect.ts"

interface Tool {
  readonly type: string
  readonly name?: string
  readonly tools?: ReadonlyArray<Tool>
}

interface Item {
  readonly type?: string
  readonly call_id?: string
  readonly name?: string
  readonly namespace?: string
  readonly output?: unknown
}

const events = (item: object): ReadonlyArray<ServerSentEvent> => {
  const response = { id: "resp_1", object: "response", output: [item] }
  const usage = {
    input_tokens: 1,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 2
  }
  const all: ReadonlyArray<{ readonly type: string }> = [
    { type: "response.created", ...{ response: { id: "resp_1" } } },
    { type: "response.output_item.done", ...{ output_index: 0, item } },
    { type: "response.completed", ...{ response: { ...response, usage } } }
  ]
  return all.map((data) => ({ event: data.type, data }))
}

const spoken = (text: string) => ({
  type: "message",
  role: "assistant",
  id: "msg_1",
  content: [{ type: "output_text", text }]
})

/** OpenAI's Responses API, which Codex speaks, with a model that calls tools of a namespace, or Codex's own. */
export const openaiResponsesOf = (wanted: string | undefined): Dialect => ({
  serves: (path) => path.startsWith("/v1/responses"),
  read: (body) => {
    const { input, tools = [] } = body as { readonly input: ReadonlyArray<Item>; readonly tools?: ReadonlyArray<Tool> }
    const calls = new Set(
      input.filter(({ name, namespace, type }) =>
        type === "function_call" && (wanted === undefined || `${namespace ?? ""}${name}`.includes(wanted))
      ).map(({ call_id }) => call_id)
    )
    return {
      tools: tools.flatMap((tool) =>
        tool.type === "namespace" ? (tool.tools ?? []).map(({ name }) => `${tool.name}/${name}`) : [tool.name ?? ""]
      ),
      outputs: input.filter(({ call_id, type }) => type === "function_call_output" && calls.has(call_id))
        .map(({ output }) => textOf(output))
    }
  },
  nameOf: (tool) => wanted === undefined ? tool : `${wanted}/${tool}`,
  call: (name, args, step) =>
    events({
      type: "function_call",
      id: `fc_${step}`,
      call_id: `call_${step}`,
      ...(wanted === undefined ? { name } : { namespace: wanted, name: name.slice(wanted.length + 1) }),
      arguments: JSON.stringify(args)
    }),
  say: (text) => events(spoken(text)),
  document: (text) => ({ id: "resp_1", object: "response", output: [spoken(text)] })
})

export const openaiResponses = openaiResponsesOf("mcp__pyro")
