// pyro's tools in Vercel's AI SDK, by MCP: node scripts/example.mjs examples/ai-sdk.ts
import { createMCPClient } from "@ai-sdk/mcp"
import { Experimental_StdioMCPTransport as StdioTransport } from "@ai-sdk/mcp/mcp-stdio"
import { generateText, stepCountIs } from "ai"
import { MockLanguageModelV3 } from "ai/test"

const client = await createMCPClient({
  transport: new StdioTransport({
    // Once installed: command "pyro", args ["mcp", "serve"].
    command: process.execPath,
    args: ["dist/pyro.js", "mcp", "serve", "--project-path", "examples/greeting"],
    // Otherwise it gets little more than HOME and PATH.
    env: process.env as Record<string, string>
  })
})

/** In place of a model: what it would have said. With one: `model: openai("...")` of @ai-sdk/openai, or another provider's. */
const workspace_id = "ai-sdk"
const script: ReadonlyArray<readonly [tool: string, args: object]> = [
  ["workspace_create", { name: workspace_id, ttl_seconds: 3600 }],
  ["workspace_exec", { workspace_id, command: "sh test.sh" }],
  ["workspace_file_edit", { workspace_id, path: "greet.sh", old_text: "$1\"", new_text: "${1:-you}!\"" }],
  ["workspace_exec", { workspace_id, command: "sh test.sh" }],
  ["workspace_diff", { workspace_id }],
  ["workspace_delete", { workspace_ids: [workspace_id] }]
]
const usage = {
  inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 0, text: 0, reasoning: 0 }
}
const model = new MockLanguageModelV3({
  doGenerate: async ({ prompt }) => {
    const step = prompt.filter(({ role }) => role === "tool").length
    const [toolName, args] = script[step] ?? []
    return {
      content: toolName === undefined
        ? [{ type: "text", text: "The test passes now." }]
        : [{ type: "tool-call", toolCallId: `call-${step}`, toolName, input: JSON.stringify(args) }],
      finishReason: { unified: toolName === undefined ? "stop" : "tool-calls", raw: undefined },
      usage,
      warnings: []
    }
  }
})

try {
  const { text } = await generateText({
    model,
    tools: await client.tools(),
    stopWhen: stepCountIs(20),
    prompt: "sh test.sh fails. Mend it in a workspace.",
    onStepFinish: ({ toolResults }) => {
      for (const { output, toolName } of toolResults) {
        const [first] = (output as { readonly content: ReadonlyArray<{ readonly text?: string }> }).content
        console.log(`${toolName}: ${first?.text}\n`)
      }
    }
  })
  console.log(text)
} finally {
  await client.close()
}
