// An MCP client that mends a project by pyro's tools, as an agent host does: node scripts/example.mjs examples/mcp-client.ts
import { Client } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const folder = mkdtempSync(join(tmpdir(), "pyro-mcp-"))
const transport = new StdioClientTransport({
  // Once installed: command "pyro", args ["mcp", "serve", ...].
  command: process.execPath,
  args: ["dist/pyro.js", "mcp", "serve", "--project-path", "examples/greeting", "--allow-export", folder],
  // Otherwise it gets little more than HOME and PATH.
  env: process.env as Record<string, string>
})
// "auto" speaks the stateless protocol of 2026 with servers that have it, and the older ones with others.
const client = new Client({ name: "example", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } })

/** What a tool answered for programs; what went wrong is a text that says what to do. */
const call = async (name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> => {
  const { content, isError, structuredContent } = await client.callTool({ name, arguments: args })
  const [first] = content
  if (isError === true) throw new Error(first?.type === "text" ? first.text : name)
  return structuredContent as Record<string, unknown>
}

await client.connect(transport)
try {
  const { tools } = await client.listTools()
  console.log(`MCP ${client.getNegotiatedProtocolVersion()}, ${tools.length} tools`)

  const { workspace } = await call("workspace_create", {}) as { workspace: { id: string } }
  const workspace_id = workspace.id
  try {
    const test = async () => {
      const { exit_code, stdout } = await call("workspace_exec", { workspace_id, command: "sh test.sh" })
      console.log(`${String(stdout).trim()} (exit code ${exit_code})`)
    }
    await test()
    await call("workspace_file_edit", { workspace_id, path: "greet.sh", old_text: "$1\"", new_text: "${1:-you}!\"" })
    await test()

    const { digest, patch } = await call("workspace_diff", { workspace_id })
    console.log(patch)
    // `expect`: exactly the diff that was looked at.
    const output_path = join(folder, "greeting.patch")
    await call("workspace_export", { workspace_id, patch: true, expect: digest, output_path })
    console.log(`git apply ${output_path}`)
  } finally {
    await call("workspace_delete", { workspace_ids: [workspace_id] })
  }
} finally {
  await client.close()
}
