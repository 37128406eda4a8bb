import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { startChatApi } from "../support/models/chat-stand-in.ts"
import { startResponsesApi } from "../support/models/responses-stand-in.ts"

const root = path.resolve(import.meta.dirname, "../..")
const run = promisify(execFile)

let own: Installation
let temporary: string

/** What an example prints that has to succeed, to leave no workspace, and to leave no VM unless its daemon has one in stock. */
const example = async (name: string, env: Readonly<Record<string, string>> = {}) => {
  const { stderr, stdout } = await run(process.execPath, ["scripts/example.mjs", `examples/${name}.ts`], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary, ...own.env, ...env }
  })
  assert.strictEqual(stderr, "")
  if (!(await own.daemon()).running) assert.deepStrictEqual(own.inventory().filter((line) => /vm-|ws-/.test(line)), [])
  assert.deepStrictEqual(await own.list(), [])
  return stdout
}

/** What the greeting is once the patch is applied that an example says it wrote, the only thing that it leaves. */
const greetingWith = async (stdout: string) => {
  const [, patch = ""] = /git apply (.+)/.exec(stdout) ?? []
  assert.deepStrictEqual(fs.readdirSync(temporary), [path.basename(path.dirname(patch))])
  const copy = path.join(own.folder, "greeting")
  fs.cpSync(path.join(root, "examples/greeting"), copy, { recursive: true })
  await run("git", ["apply", patch], { cwd: copy })
  return fs.readFileSync(path.join(copy, "greet.sh"), "utf8")
}
const mended = "#!/bin/sh\n# Greets somebody by name.\necho \"Hello, ${1:-you}!\"\n"

const WRONG = "FAIL a name: expected \"Hello, Ada!\", got \"Hello, Ada\""
const RIGHT = "ok a name\nok no name"

describe("each example runs, says what it should, and leaves nothing", () => {
  beforeEach(() => {
    own = installation("pyro-examples-")
    temporary = path.join(own.folder, "tmp")
    fs.mkdirSync(temporary)
  })
  afterEach(() => own.close())

  it("run.ts runs and leaves nothing", async () => {
    const [collected, ...others] = (await example("run")).trimEnd().split("\n")
    assert.match(collected ?? "", /^python3 printed 42 and left with 0 after [\d.]+ ms$/)
    for (const line of others.splice(0, 3)) assert.match(line, /^the guest's clock: .*\d\d:\d\d:\d\d/)
    assert.match(others[0] ?? "", /^as expected: .*no-such-program/)
    assert.deepStrictEqual(others.slice(1), ["sleep infinity: None"])
  })

  it("workspace.ts runs and leaves nothing", async () => {
    const stdout = await example("workspace")
    assert.include(stdout, `${WRONG} (status 1)\n${RIGHT} (status 0)\n`)
    assert.include(stdout, "greet.sh")
  })

  it("promises.ts runs and leaves nothing", async () => {
    assert.match(await example("promises"), /^status 0: Linux \S+\n1\n2\n3\n$/)
  })

  it("agent.ts keeps the better of two attempts on forks", async () => {
    const stdout = await example("agent")
    assert.include(stdout, "be quick: done, 1 passed, +1\n")
    assert.include(stdout, "be thorough: done, 2 passed, +1\n")
    assert.include(stdout, "kept \"be thorough\"")
    assert.strictEqual(await greetingWith(stdout), mended)
  })

  it("mcp-client.ts runs in the stateless protocol", async () => {
    const stdout = await example("mcp-client")
    assert.match(stdout, /^MCP 2026-07-28, 16 tools\n/)
    assert.include(stdout, `${WRONG} (exit code 1)\n${RIGHT} (exit code 0)\n`)
    assert.include(stdout, "-echo \"Hello, $1\"\n+echo \"Hello, ${1:-you}!\"\n")
    assert.strictEqual(await greetingWith(stdout), mended)
  })

  it("ai-sdk.ts runs and leaves nothing", async () => {
    const stdout = await example("ai-sdk")
    const [before, after] = stdout.split("workspace_file_edit: edited greet.sh: 1 replacement")
    assert.include(before, `workspace_exec: exit 1`)
    assert.include(before, WRONG)
    assert.include(after, RIGHT)
    assert.include(after, "+echo \"Hello, ${1:-you}!\"\n")
    assert.match(stdout, /workspace_delete: deleted ws-\w+\n\nThe test passes now\.\n$/)
    assert.deepStrictEqual(fs.readdirSync(temporary), [])
  })

  it("mcp-chat.ts gives a model the tools of workspace-core, and each answer", async () => {
    const workspace_id = "chat"
    const edit = { workspace_id, path: "greet.sh", old_text: "$1\"", new_text: "${1:-you}!\"" }
    const test = ["workspace_exec", { workspace_id, command: "sh test.sh" }] as const
    const api = await startChatApi("secret", [
      [["workspace_create", { name: "chat" }]],
      [test, ["workspace_file_edit", { ...edit, old_text: "not there" }]],
      [["workspace_file_edit", edit], test],
      [["workspace_diff", { workspace_id }], ["workspace_delete", { workspace_ids: [workspace_id] }]],
      "The test passes now."
    ])
    try {
      const stdout = await example("mcp-chat", { OPENAI_API_KEY: "secret", OPENAI_BASE_URL: api.url })
      assert.strictEqual(stdout, "The test passes now.\n")
      assert.includeMembers(api.tools(), ["workspace_create", "workspace_exec", "workspace_export"])
      assert.include(api.instructions(), "workspace")
      const [created, failing, rejected, edited, passing, diff, deleted, ...others] = api.outputs()
      assert.match(created ?? "", /^workspace ws-\w+ is ready/)
      assert.include(failing, WRONG)
      assert.match(rejected ?? "", /^edit_rejected: /)
      assert.match(edited ?? "", /^edited greet\.sh: 1 replacement/)
      assert.include(passing, RIGHT)
      assert.include(diff, "+echo \"Hello, ${1:-you}!\"\n")
      assert.match(deleted ?? "", /^deleted ws-/)
      assert.deepStrictEqual(others, [])
    } finally {
      await api.close()
    }
  })

  it("openai-responses.ts runs against an imitation that takes strict functions only", async () => {
    const workspace_id = "fix"
    const edit = { workspace_id, path: "greet.sh", old_text: "$1\"", new_text: "${1:-you}!\"" }
    const api = await startResponsesApi("secret", [
      [["workspace_create", { name: "fix" }]],
      [["workspace_exec", { workspace_id, command: "sh test.sh" }], ["workspace_file_read", {
        workspace_id,
        path: "greet.sh"
      }]],
      [["workspace_file_edit", { ...edit, old_text: "not there" }]],
      [["workspace_file_edit", edit]],
      [["workspace_exec", { workspace_id, command: "sh test.sh" }]],
      [["workspace_diff", { workspace_id }]],
      [["workspace_delete", { workspace_ids: [workspace_id] }]],
      "The test passes now."
    ])
    try {
      const stdout = await example("openai-responses", { OPENAI_API_KEY: "secret", OPENAI_BASE_URL: api.url })
      assert.match(stdout, /The test passes now\.\n$/)
      const [created, failing, text, rejected, edited, passing, diff, deleted, ...others] = api.outputs
      assert.match(created ?? "", /^workspace ws-\w+ is ready\n/)
      assert.include(failing, WRONG)
      assert.include(text, "echo \"Hello, $1\"")
      assert.match(rejected ?? "", /^edit_rejected: .*\nhint: /)
      assert.match(edited ?? "", /^edited greet\.sh: 1 replacement/)
      assert.include(passing, RIGHT)
      assert.include(diff, "+echo \"Hello, ${1:-you}!\"\n")
      assert.match(deleted ?? "", /^deleted ws-/)
      assert.deepStrictEqual(others, [])
    } finally {
      await api.close()
    }
  })
})

describe("the stand-in of the Responses API", () => {
  it("the imitation of the Responses API refuses schemas that are not strict, and unanswered calls", async () => {
    const api = await startResponsesApi("secret", [[["look", { at: "it" }]], "done"])
    const ask = async (body: object) => {
      const answer = await fetch(`${api.url}/responses`, {
        method: "POST",
        headers: { authorization: "Bearer secret" },
        body: JSON.stringify({ input: [], ...body })
      })
      return [answer.status, await answer.text()] as const
    }
    const look = (parameters: object) => ({ type: "function", name: "look", strict: true, parameters })
    const properties = { at: { type: "string" }, env: { type: "object", additionalProperties: { type: "string" } } }
    const [status, complaint] = await ask({ tools: [look({ type: "object", properties, required: ["at"] })] })
    assert.strictEqual(status, 400)
    assert.include(complaint, "look: 'additionalProperties'")
    assert.include(complaint, "look: 'required'")
    assert.include(complaint, "look.env: 'additionalProperties'")
    const tools = [
      look({ type: "object", properties: { at: { type: "string" } }, required: ["at"], additionalProperties: false })
    ]
    assert.strictEqual((await ask({ tools }))[0], 200)
    assert.deepInclude(await ask({ tools, previous_response_id: "resp_1" }), 400)
    const input = [{ type: "function_call_output", call_id: "call_1_0", output: "seen" }]
    assert.strictEqual((await ask({ tools, previous_response_id: "resp_1", input }))[0], 200)
    assert.deepStrictEqual(api.outputs, ["seen"])
    await api.close()
  })
})
