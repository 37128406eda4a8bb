import { anthropicOf } from "../hosts/dialects/anthropic.ts"
import type { ServerSentEvent } from "../hosts/dialects/dialect.ts"

/** The answer of a model API: one JSON document, or server-sent events. */
export type Answer = { readonly json: object } | { readonly events: ReadonlyArray<ServerSentEvent> }

/** A command that a model asks for: it leaves a file, and its output shows that a shell in a guest has computed it. */
export const COMMAND = "echo made >made.txt; echo computed $((6 * 7)) on $(uname -n)"

/** Names of the tool that runs a command, in the frameworks of the pages. */
const SHELLS: ReadonlySet<string> = new Set([
  "Bash",
  "bash",
  "exec_command",
  "execute",
  "mastra_workspace_execute_command",
  "shell"
])

interface Tool {
  readonly name?: string
}

interface Part {
  readonly type?: string
  readonly content?: unknown
  readonly output?: unknown
}

/** The name of the tool that runs a command, if a request offers one. */
const shellOf = (tools: ReadonlyArray<Tool> = []) => tools.map(({ name = "" }) => name).find((name) => SHELLS.has(name))

const usage = { input_tokens: 1, output_tokens: 1 }

/** Anthropic's Messages API. */
const anthropic = (sent: unknown): Answer => {
  const { messages, stream, tools } = sent as {
    readonly messages: ReadonlyArray<{ readonly content: string | ReadonlyArray<Part> }>
    readonly stream?: boolean
    readonly tools?: ReadonlyArray<Tool>
  }
  const results = messages.flatMap(({ content }) => typeof content === "string" ? [] : content)
    .filter(({ type }) => type === "tool_result")
  const shell = shellOf(tools)
  const { call, say } = anthropicOf("")
  const args = { command: COMMAND, description: "Compute" }
  const isCall = shell !== undefined && results.length === 0
  const text = JSON.stringify(results)
  if (stream === true) return { events: isCall ? call(shell, args, 1) : say(text) }
  const content = isCall ? { type: "tool_use", id: "toolu_1", name: shell, input: args } : { type: "text", text }
  const common = { id: "msg_1", type: "message", role: "assistant", model: "scripted", stop_sequence: null, usage }
  return { json: { ...common, content: [content], stop_reason: isCall ? "tool_use" : "end_turn" } }
}

/** OpenAI's Responses API. */
const openai = (sent: unknown): Answer => {
  const { input, tools } = sent as {
    readonly input: string | ReadonlyArray<Part>
    readonly tools?: ReadonlyArray<Tool>
  }
  const results = typeof input === "string" ? [] : input.filter(({ type }) => type === "function_call_output")
  const shell = shellOf(tools)
  const item = shell !== undefined && results.length === 0
    ? { type: "function_call", id: "fc_1", call_id: "call_1", name: shell, arguments: JSON.stringify({ cmd: COMMAND }) }
    : {
      type: "message",
      id: "msg_1",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: JSON.stringify(results), annotations: [] }]
    }
  const details = { input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } }
  return {
    json: {
      id: "resp_1",
      object: "response",
      status: "completed",
      output: [item],
      usage: { ...usage, ...details, total_tokens: 2 }
    }
  }
}

/** The API of Vercel's AI Gateway, of which the AI SDK asks a model that is a text. */
const gateway = (sent: unknown): Answer => {
  const { prompt, tools } = sent as {
    readonly prompt: ReadonlyArray<{ readonly role: string; readonly content: unknown }>
    readonly tools?: ReadonlyArray<Tool>
  }
  const results = prompt.filter(({ role }) => role === "tool")
  const shell = shellOf(tools)
  const isCall = shell !== undefined && results.length === 0
  const content = isCall
    ? { type: "tool-call", toolCallId: "call_1", toolName: shell, input: JSON.stringify({ command: COMMAND }) }
    : { type: "text", text: JSON.stringify(results) }
  return {
    json: {
      content: [content],
      finishReason: { unified: isCall ? "tool-calls" : "stop", raw: "stop" },
      usage: { inputTokens: { total: 1 }, outputTokens: { total: 1 } },
      warnings: []
    }
  }
}

/** Model APIs by host and path of a request. Each asks for one command, and then says what it came to. */
export const modelOf = (host: string, path: string): ((sent: unknown) => Answer) | undefined =>
  host === "api.anthropic.com" && /^\/v1\/messages(\?|$)/.test(path)
    ? anthropic
    : host === "api.openai.com" && path === "/v1/responses"
    ? openai
    : host === "ai-gateway.vercel.sh" && path.endsWith("/language-model")
    ? gateway
    : undefined

export const MODEL_HOSTS = ["api.anthropic.com", "api.openai.com", "ai-gateway.vercel.sh"] as const
