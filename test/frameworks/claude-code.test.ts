import { query } from "@anthropic-ai/claude-agent-sdk"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { claudeCodeAccess, spawnClaudeCodeIn } from "pyro/claude-agent"
import { connect } from "pyro/promises"
import { assert, describe, it } from "vitest"
import { folder } from "./installed.ts"
import { MESSAGES_API } from "./messages-api.ts"
import { ownPyro } from "./own-pyro.ts"

ownPyro()

/** A program of 400 MB under emulation, on a host with other work. */
const SLOW_MS = 900_000

describe("Claude Code in a workspace, by its Agent SDK", () => {
  it("the agent writes and runs a program in the guest, with a placeholder for the key", async () => {
    const pyro = join(folder, "node_modules/pyro/dist/pyro.js")
    const add = ["--from", "debian:12", "--npm", "@anthropic-ai/claude-code-linux-x64@2.1.332"]
    execFileSync(process.execPath, [pyro, "env", "build", "claude-code", ...add], { stdio: "ignore" })
    await using client = connect()
    const access = claudeCodeAccess({ apiKey: "sk-ant-of-the-test" })
    await using ws = await client.create({
      environment: "claude-code",
      memoryMib: 2048,
      workspaceUser: "agent",
      ...access
    })
    await ws.files.write("/usr/local/bin/model", MESSAGES_API, { mode: "755" })
    await ws.services.start("model", ["/usr/local/bin/model"], { readyTcp: 8000 })
    const messages: Array<unknown> = []
    let result = ""
    const options = {
      spawnClaudeCodeProcess: spawnClaudeCodeIn(ws, { env: { ANTHROPIC_BASE_URL: "http://127.0.0.1:8000" } }),
      permissionMode: "bypassPermissions",
      allowDangerouslySkipPermissions: true
    } as const
    for await (const message of query({ prompt: "Add two and three.", options })) {
      messages.push(message)
      if (message.type === "result" && message.subtype === "success") result = message.result
    }
    assert.match(result, /5\\npyro_secret_ANTHROPIC_API_KEY/, JSON.stringify(messages))
    assert.notInclude(JSON.stringify(messages), "sk-ant-of-the-test")
    assert.match((await ws.diff()).patch ?? "", /^\+print\(2 \+ 3\)$/m)
  }, SLOW_MS)
})
