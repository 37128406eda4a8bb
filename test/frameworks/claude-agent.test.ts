import { query, type SDKMessage, type SpawnedProcess, type SpawnOptions } from "@anthropic-ai/claude-agent-sdk"
import process from "node:process"
import { claudeCodeAccess, spawnClaudeCodeIn } from "pyro/claude-agent"
import { connect, type Workspace } from "pyro/promises"
import { assert, describe, it } from "vitest"
import { ownPyro, small } from "./own-pyro.ts"

ownPyro()

/** Stands in for Claude Code in the guest: the SDK's protocol, with a script in place of a model. */
const STAND_IN = `#!/usr/bin/python3
import json, os, subprocess, sys
def say(message): print(json.dumps(message), flush=True)
print("started", file=sys.stderr, flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "control_request":
        say({"type": "control_response", "response": {"subtype": "success", "request_id": message["request_id"], "response": {"commands": [], "models": []}}})
    if message["type"] == "user":
        common = {"session_id": "s", "uuid": "u"}
        words = message["message"]["content"]
        command = words if isinstance(words, str) else words[0]["text"]
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
        say({"type": "assistant", "message": {"role": "assistant", "content": [{"type": "text", "text": done.stdout}]}, "parent_tool_use_id": None, **common})
        say({"type": "result", "subtype": "success", "is_error": False, "result": done.stdout, "duration_ms": 1, "duration_api_ms": 1, "num_turns": 1, "total_cost_usd": 0, "usage": {}, "modelUsage": {}, "permission_denials": [], **common})
        if "exit" in command: sys.exit(9)
`

const held = async (options: Parameters<ReturnType<typeof connect>["create"]>[0] = {}) => {
  const client = connect()
  const workspace = await client.create({ ...small, ...options })
  await workspace.files.write("/usr/local/bin/claude", STAND_IN, { mode: "755" })
  return { workspace, [Symbol.asyncDispose]: () => workspace.delete() }
}

const ask = async (workspace: Workspace, prompt: string, more: object = {}) => {
  const messages: Array<SDKMessage> = []
  const options = { spawnClaudeCodeProcess: spawnClaudeCodeIn(workspace), ...more }
  for await (const message of query({ prompt, options })) messages.push(message)
  return messages
}

const resultOf = (messages: ReadonlyArray<SDKMessage>) => {
  const last = messages.at(-1)
  return last?.type === "result" && last.subtype === "success" ? last.result : JSON.stringify(messages)
}

const options = (command: string, ...args: Array<string>): SpawnOptions => ({
  command,
  args,
  cwd: "/tmp",
  env: {},
  signal: new AbortController().signal
})

const ended = (child: SpawnedProcess) =>
  new Promise<readonly [number | null, string | null]>((resolve, reject) => {
    child.once("exit", (code, signal) => resolve([code, signal]))
    child.once("error", reject)
  })

const output = async (child: SpawnedProcess) => {
  let text = ""
  for await (const piece of child.stdout) text += String(piece)
  return text
}

describe("the Claude Agent SDK on pyro", () => {
  it.each(["api.test", "http://api.test", ""])("the base URL %j is refused by the name of its option", (baseUrl) => {
    assert.throws(() => claudeCodeAccess({ apiKey: "k", baseUrl }), /^baseUrl: /)
  })

  it("the agent's commands see the guest, and neither this host's variables nor its key", async () => {
    const apiKey = "sk-ant-of-the-test"
    const access = claudeCodeAccess({ apiKey, baseUrl: "https://api.example.com:8443" })
    assert.deepInclude(access, {
      allowHosts: ["api.example.com:8443"],
      secretHttp: ["ANTHROPIC_API_KEY@api.example.com:8443:x-api-key"]
    })
    await using own = await held({ ...access, workspaceUser: "agent" })
    process.env["OF_THE_HOST"] = "host"
    process.env["ANTHROPIC_API_KEY"] = apiKey
    try {
      const script = "id -un; pwd; uname -n; echo made >file; env"
      const said = resultOf(await ask(own.workspace, script, { env: { ...process.env, FOR_THE_AGENT: "given" } }))
      assert.match(said, /^agent\n\/workspace\n/)
      assert.match(said, /^FOR_THE_AGENT=given$/m)
      assert.match(said, /^ANTHROPIC_BASE_URL=https:\/\/api\.example\.com:8443$/m)
      assert.match(said, /^ANTHROPIC_API_KEY=.+$/m)
      assert.notMatch(said, /OF_THE_HOST|sk-ant-of-the-test/)
      assert.strictEqual(await own.workspace.files.readText("file"), "made\n")
    } finally {
      delete process.env["OF_THE_HOST"]
      delete process.env["ANTHROPIC_API_KEY"]
    }
  })

  it("an exit code of the agent is the query's error, and an abort ends the agent in the guest", async () => {
    await using own = await held()
    const { workspace } = own
    const failed = await ask(workspace, "exit 0").then(() => "", String)
    assert.match(failed, /exited with code 9/)
    const abortController = new AbortController()
    const running = ask(workspace, "touch begun; sleep 987654", { abortController }).then(() => "", String)
    await workspace.exec("until [ -e begun ]; do sleep 0.1; done")
    abortController.abort()
    assert.match(await running, /abort/i)
    await workspace.exec("while pgrep -x sleep; do sleep 0.1; done")
  })

  it("a process of the guest behaves as a child process", async () => {
    await using own = await held()
    const { workspace } = own
    const stderr: Array<string> = []
    const spawn = spawnClaudeCodeIn(workspace, { program: "/bin/sh", onStderr: (text) => stderr.push(text) })
    const echo = spawn(options("/no/such/claude", "-c", "echo said >&2; cat; pwd; exit 3"))
    assert.deepStrictEqual([echo.exitCode, echo.killed], [null, false])
    const large = "x".repeat(300_000)
    echo.stdin.write(large)
    echo.stdin.end("typed\n")
    assert.deepStrictEqual(await Promise.all([ended(echo), output(echo)]), [[3, null], `${large}typed\n/tmp\n`])
    assert.deepStrictEqual([echo.exitCode, stderr.join(""), echo.kill("SIGTERM")], [3, "said\n", false])
    const killed = spawn(options("claude", "-c", "sleep 987654"))
    assert.isTrue(killed.kill("SIGKILL"))
    assert.deepStrictEqual(await ended(killed), [null, "SIGKILL"])
    assert.deepStrictEqual([killed.killed, killed.signalCode], [true, "SIGKILL"])
    const absent = spawnClaudeCodeIn(workspace, { program: "/no/such/program" })(options("claude"))
    assert.match(String(await ended(absent).then(() => "", String)), /no\/such\/program/)
    assert.strictEqual(await output(absent), "")
  })

  it("a guest without Claude Code says how to get it", async () => {
    await using client = connect()
    await using workspace = await client.create(small)
    const stderr: Array<string> = []
    const child = spawnClaudeCodeIn(workspace, { onStderr: (text) => stderr.push(text) })(options("/no/such/claude"))
    assert.deepStrictEqual(await ended(child), [127, null])
    assert.match(stderr.join(""), /pyro env build claude-code/)
  })
})
