import { type Dialect, type ServerSentEvent, textOf } from "./dialect.ts"

interface Message {
  readonly role: string
  readonly content?: unknown
  readonly tool_call_id?: string
  readonly tool_calls?: ReadonlyArray<{ readonly id: string; readonly function: { readonly name: string } }>
}

interface Body {
  readonly messages: ReadonlyArray<Message>
  readonly tools?: ReadonlyArray<{ readonly function: { readonly name: string } }>
}

const PREFIX = "pyro_"

const chunk = (delta: object, finish_reason: string | null): ServerSentEvent => ({
  data: {
    id: "chatcmpl_1",
    object: "chat.completion.chunk",
    created: 1,
    model: "scripted",
    choices: [{ index: 0, delta, finish_reason }],
    ...(finish_reason === null ? {} : { usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })
  }
})

const DONE: ServerSentEvent = { data: "[DONE]" }

/** OpenAI's Chat Completions API, which OpenCode speaks to a provider that is compatible with it. */
export const openaiChat: Dialect = {
  serves: (path) => path.startsWith("/v1/chat/completions"),
  read: (body) => {
    const { messages, tools = [] } = body as Body
    const calls = new Set(
      messages.flatMap(({ tool_calls = [] }) => tool_calls)
        .filter((call) => call.function.name.startsWith(PREFIX)).map(({ id }) => id)
    )
    const outputs: Array<string> = []
    for (const { content, role, tool_call_id } of messages) {
      if (role === "tool" && calls.has(tool_call_id ?? "")) outputs.push(textOf(content))
      // A tool's message holds text alone: its images follow in a user's message.
      else if (role === "user" && outputs.length > 0) outputs.push(`${outputs.pop()}\n${textOf(content)}`)
    }
    return { tools: tools.map((tool) => tool.function.name), outputs }
  },
  nameOf: (tool) => `${PREFIX}${tool}`,
  call: (name, args, step) => [
    chunk({
      role: "assistant",
      tool_calls: [{
        index: 0,
        id: `call_${step}`,
        type: "function",
        function: { name, arguments: JSON.stringify(args) }
      }]
    }, null),
    chunk({}, "tool_calls"),
    DONE
  ],
  say: (text) => [chunk({ role: "assistant", content: text }, null), chunk({}, "stop"), DONE],
  document: (text) => ({
    id: "chatcmpl_1",
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }]
  })
}
