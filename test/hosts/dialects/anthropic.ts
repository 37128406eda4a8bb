import { type Dialect, type ServerSentEvent, textOf } from "./dialect.ts"

interface Block {
  readonly type: string
  readonly id?: string
  readonly name?: string
  readonly tool_use_id?: string
  readonly content?: unknown
}

interface Body {
  readonly tools?: ReadonlyArray<{ readonly name: string }>
  readonly messages: ReadonlyArray<{ readonly role: string; readonly content: string | ReadonlyArray<Block> }>
}

const message = (content: ReadonlyArray<object>, stop_reason: string | null) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "scripted",
  content,
  stop_reason,
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 }
})

const events = (start: object, delta: object, stopReason: string): ReadonlyArray<ServerSentEvent> => {
  const all: ReadonlyArray<{ readonly type: string }> = [
    { type: "message_start", ...{ message: message([], null) } },
    { type: "content_block_start", ...{ index: 0, content_block: start } },
    { type: "content_block_delta", ...{ index: 0, delta } },
    { type: "content_block_stop", ...{ index: 0 } },
    { type: "message_delta", ...{ delta: { stop_reason: stopReason }, usage: { output_tokens: 1 } } },
    { type: "message_stop" }
  ]
  return all.map((data) => ({ event: data.type, data }))
}

/** Anthropic's Messages API, which Claude Code speaks, with a model that calls tools whose names begin with a prefix. */
export const anthropicOf = (prefix: string): Dialect => ({
  serves: (path) => path.startsWith("/v1/messages") && !path.startsWith("/v1/messages/count_tokens"),
  read: (body) => {
    const { messages, tools = [] } = body as Body
    const blocks = messages.flatMap(({ content }) => typeof content === "string" ? [] : content)
    const calls = new Set(
      blocks.filter(({ name, type }) => type === "tool_use" && name?.startsWith(prefix) === true).map(({ id }) => id)
    )
    return {
      tools: tools.map(({ name }) => name),
      outputs: blocks.filter(({ tool_use_id, type }) => type === "tool_result" && calls.has(tool_use_id))
        .map(({ content }) => textOf(content))
    }
  },
  nameOf: (tool) => `${prefix}${tool}`,
  call: (name, args, step) =>
    events(
      { type: "tool_use", id: `toolu_${step}`, name, input: {} },
      { type: "input_json_delta", partial_json: JSON.stringify(args) },
      "tool_use"
    ),
  say: (text) => events({ type: "text", text: "" }, { type: "text_delta", text }, "end_turn"),
  document: (text) => message([{ type: "text", text }], "end_turn")
})

export const anthropic = anthropicOf("mcp__pyro__")
