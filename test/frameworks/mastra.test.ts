import { Agent } from "@mastra/core/agent"
import type { MastraModelConfig } from "@mastra/core/llm"
import { SandboxAbortError, supportsNetworking, Workspace } from "@mastra/core/workspace"
import { MockLanguageModelV3 } from "ai/test"
import { PyroSandbox } from "pyro/mastra"
import { connect } from "pyro/promises"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { serveOnce } from "./guest-server.ts"
import { ownPyro, small } from "./own-pyro.ts"

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 }
}
type Parts = Awaited<ReturnType<MockLanguageModelV3["doStream"]>>["stream"] extends ReadableStream<infer Part> ? Part
  : never

const stream = (parts: ReadonlyArray<Parts>, reason: "tool-calls" | "stop") => ({
  stream: new ReadableStream<Parts>({
    start: (controller) => {
      const all: ReadonlyArray<Parts> = [
        { type: "stream-start", warnings: [] },
        ...parts,
        { type: "finish", usage, finishReason: { unified: reason, raw: reason } }
      ]
      for (const part of all) controller.enqueue(part)
      controller.close()
    }
  })
})

/** A model that calls these tools, one a turn, and then says that it is done. */
const scripted = (calls: ReadonlyArray<readonly [name: string, input: object]>) => {
  const turns = calls.map(([toolName, input], at) =>
    stream([{ type: "tool-call", toolCallId: `call-${at}`, toolName, input: JSON.stringify(input) }], "tool-calls")
  )
  const last = stream([{ type: "text-start", id: "1" }, { type: "text-delta", id: "1", delta: "done" }, {
    type: "text-end",
    id: "1"
  }], "stop")
  return new MockLanguageModelV3({ doStream: [...turns, last] })
}

describe("pyro/mastra", () => {
  ownPyro()
  let sandbox: PyroSandbox
  beforeAll(async () => {
    sandbox = new PyroSandbox({ ...small, workspaceUser: "agent", env: { STAGE: "test" } })
    await sandbox.start()
  })
  afterAll(() => sandbox.destroy())

  it("an agent runs commands in a workspace", async () => {
    const model = scripted([
      ["mastra_workspace_execute_command", { command: "echo $((6 * 7)) $STAGE > answer; cat answer" }],
      ["mastra_workspace_execute_command", { command: "exit 3" }]
    ])
    const agent = new Agent({
      id: "coder",
      name: "coder",
      instructions: "Work.",
      // Mastra wraps a model of the AI SDK, and its type asks for the wrapped form.
      model: model as unknown as MastraModelConfig,
      workspace: new Workspace({ sandbox })
    })
    const result = await agent.stream("Play the script.")
    assert.strictEqual(await result.text, "done")
    const prompts = JSON.stringify(model.doStreamCalls.at(-1)?.prompt)
    assert.include(prompts, "42 test")
    assert.match(prompts, /exit code:? 3/i)
    assert.strictEqual(await sandbox.workspace.files.readText("answer"), "42 test\n")
  })

  it("a named workspace that does not exist is an error, and no other is made", async () => {
    await using client = connect()
    const before = (await client.list()).length
    const absent = new PyroSandbox({ ...small, workspace: "absent", client })
    const failure = await absent.start().then(() => undefined, String)
    assert.match(failure ?? "", /workspace: there is no absent/)
    assert.strictEqual((await client.list()).length, before)
  })

  it("commands give their output, exit code, time limit and abort", async () => {
    const run = sandbox.executeCommand!
    assert.deepInclude(await run("printf", ["%s|", "it's", "a \"b\"", "$HOME"]), {
      stdout: "it's|a \"b\"|$HOME|",
      success: true
    })
    assert.deepInclude(await run("echo no >&2; exit 3"), { stderr: "no\n", exitCode: 3, success: false })
    assert.deepInclude(await run("sleep 60", [], { timeout: 200 }), { exitCode: 124, timedOut: true })
    const abort = new AbortController()
    const aborted = run("echo first; sleep 60", [], { abortSignal: abort.signal, onStdout: () => abort.abort() })
    assert.deepInclude(await aborted, { stdout: "first\n", success: false, killed: true })
    assert.lengthOf((await run("head -c 3000000 /dev/zero | tr '\\0' x")).stdout, 3_000_000)
    assert.strictEqual((await run("pwd; id -un", [], { cwd: "/tmp" })).stdout, "/tmp\nagent\n")
  })

  it("a process has its streams, is listed, and is found by another manager", async () => {
    const cat = await sandbox.processes!.spawn("echo begun; cat")
    await cat.sendStdin("ü\n")
    const [listed] = (await sandbox.processes!.list()).filter(({ pid }) => pid === cat.pid)
    assert.deepEqual(listed, { pid: cat.pid, command: "echo begun; cat", running: true })
    const other = await new PyroSandbox({ id: sandbox.id }).processes!.get(cat.pid)
    assert.strictEqual(other?.command?.includes("cat"), true)
    await cat.closeStdin()
    assert.strictEqual((await cat.wait()).stdout, "begun\nü\n")
    assert.strictEqual((await other!.wait()).stdout, "begun\nü\n")
    assert.isFalse(await cat.kill())
  })

  it("files have their modes and the user, and an abort is Mastra's", async () => {
    const path = "/workspace/a 'b'/run"
    await sandbox.writeFiles([{ path, content: "#!/bin/sh\nid -un\n", mode: 0o750 }, {
      path: "data",
      content: Buffer.from([0, 255])
    }])
    assert.strictEqual(
      (await sandbox.executeCommand!(`stat -c '%a %U' data "${path}"; "${path}"`)).stdout,
      "644 agent\n750 agent\nagent\n"
    )
    assert.deepStrictEqual([...await sandbox.workspace.files.read("data")], [0, 255])
    const failure = await sandbox.writeFiles([{ path: "late", content: "" }], { abortSignal: AbortSignal.abort() })
      .catch((error: unknown) => error)
    assert.instanceOf(failure, SandboxAbortError)
    assert.isFalse(await sandbox.workspace.files.exists("late"))
  })

  it("a port of the guest has a URL on this host", async () => {
    assert.isTrue(supportsNetworking(sandbox))
    let isReady = () => {}
    const ready = new Promise<void>((resolve) => (isReady = resolve))
    const server = await sandbox.processes!.spawn(serveOnce(8080), { onStdout: () => isReady() })
    await Promise.race([ready, server.wait()])
    const url = await sandbox.networking.getPortUrl(8080)
    assert.strictEqual(await (await fetch(url!)).text(), "served")
    assert.isNull(await new PyroSandbox().networking.getPortUrl(8080))
    await server.kill()
  })

  it("a stopped sandbox starts again with its files, and its id finds it in another program", async () => {
    const outcomes: Array<unknown> = []
    const first = new PyroSandbox({
      ...small,
      id: "https://example.test/thread/1",
      onStart: ({ outcome }) => void outcomes.push(outcome)
    })
    assert.strictEqual(first.status, "pending")
    await first.executeCommand!("echo kept > /tmp/file")
    await first.stop()
    assert.strictEqual(first.status, "stopped")
    assert.strictEqual((await first.executeCommand!("cat /tmp/file")).stdout, "kept\n")
    const again = new PyroSandbox({ id: first.id })
    assert.deepEqual(await again.start(), { outcome: "connected" })
    assert.deepInclude(await again.getInfo(), { id: first.id, status: "running" })
    assert.deepStrictEqual(outcomes, ["created", "connected"])
    const sibling = again.clone({ sandboxId: again.workspace.id })
    assert.strictEqual((await sibling.executeCommand!("cat /tmp/file")).stdout, "kept\n")
    await again.destroy()
    await first.destroy()
    await using pyro = connect()
    assert.isNull(await pyro.get(first.workspaceName))
  })
})
