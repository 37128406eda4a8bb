// A chat loop with pyro's tools by MCP, for every server of the Chat Completions API: OPENAI_API_KEY=... node scripts/example.mjs examples/mcp-chat.ts
import { Client } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"

const { OPENAI_API_KEY, OPENAI_BASE_URL = "https://api.openai.com/v1", OPENAI_MODEL = "gpt-5" } = process.env
const MAX_TURNS = 30

interface Call {
  readonly id: string
  readonly function: { readonly name: string; readonly arguments: string }
}
type Message =
  | { readonly role: "system" | "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string | null; readonly tool_calls?: ReadonlyArray<Call> }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string }

const client = new Client({ name: "chat", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } })
const transport = new StdioClientTransport({
  // Once installed: command "pyro", args ["mcp", "serve", ...].
  command: process.execPath,
  args: ["dist/pyro.js", "mcp", "serve", "--profile", "workspace-core", "--project-path", "examples/greeting"],
  // Otherwise it gets little more than HOME and PATH.
  env: process.env as Record<string, string>
})
await client.connect(transport)

const tools = (await client.listTools()).tools.map(({ description, inputSchema, name }) => ({
  type: "function",
  function: { name, description, parameters: inputSchema }
}))

/** The next message of the model. */
const complete = async (messages: ReadonlyArray<Message>) => {
  const answer = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${OPENAI_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: OPENAI_MODEL, messages, tools })
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  const { choices: [choice] } = await answer.json() as {
    readonly choices: readonly [{ readonly message: Extract<Message, { readonly role: "assistant" }> }]
  }
  return choice.message
}

/** The answer of a tool. The text of an error says what the model can do next. */
const perform = async (call: Call): Promise<Message> => {
  const { arguments: args, name } = call.function
  const { content } = await client.callTool({ name, arguments: JSON.parse(args) })
  const text = content.map((part) => part.type === "text" ? part.text : "").join("\n")
  return { role: "tool", tool_call_id: call.id, content: text }
}

try {
  const messages: Array<Message> = [
    { role: "system", content: client.getInstructions() ?? "" },
    { role: "user", content: "sh test.sh fails. Mend it in a workspace, show the diff, and delete the workspace." }
  ]
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const message = await complete(messages)
    messages.push(message)
    if (message.content !== null) console.log(message.content)
    const calls = message.tool_calls ?? []
    if (calls.length === 0) break
    for (const call of calls) messages.push(await perform(call))
  }
} finally {
  await client.close()
}
