import { type AnyTextAdapter, chat, EventType, toolDefinition } from "@tanstack/ai"
import {
  bootstrapWorkspace,
  defineSandbox,
  defineSandboxPolicy,
  defineWorkspace,
  getSandbox,
  InMemorySandboxStore,
  localSource,
  SandboxCapability,
  type SandboxHandle,
  spawnNdjson,
  withSandbox
} from "@tanstack/ai-sandbox"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect } from "pyro/promises"
import { pyroSandbox } from "pyro/tanstack-ai"
import { assert, describe, it } from "vitest"
import { z } from "zod"
import { ownPyro, small } from "./own-pyro.ts"

ownPyro()
const provider = pyroSandbox(small)

/** A sandbox that goes with the test. */
const held = async (input: Parameters<typeof provider.create>[0] = {}) => {
  const sandbox = await provider.create(input)
  return { sandbox, [Symbol.asyncDispose]: () => sandbox.destroy() }
}

const all = async (pieces: AsyncIterable<string>) => {
  let text = ""
  for await (const piece of pieces) text += piece
  return text
}

const failure = (work: Promise<unknown>) => work.then(() => assert.fail("it was to fail"), (cause: unknown) => cause)

describe("TanStack AI on pyro", () => {
  it("files of any content, size and name are written whole, and absent ones are told", async () => {
    await using own = await held()
    const { fs } = own.sandbox
    const odd = "/workspace/a b/'q' \"d\" $x\n*/ü.txt"
    await fs.write(odd, "hällo\n")
    assert.strictEqual(await fs.read(odd), "hällo\n")
    const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at % 256)
    await fs.write("bin", bytes)
    assert.deepStrictEqual(await fs.readBytes("/workspace/bin"), bytes)
    await fs.mkdir("/workspace/sub/deep")
    const listed = (await fs.list("/workspace/")).sort((a, b) => a.name < b.name ? -1 : 1)
    assert.deepStrictEqual(listed, [
      { name: "a b", path: "/workspace/a b", type: "dir" },
      { name: "bin", path: "/workspace/bin", type: "file" },
      { name: "sub", path: "/workspace/sub", type: "dir" }
    ])
    await fs.write("/workspace/old", "old")
    await fs.rename("/workspace/bin", "/workspace/old")
    assert.deepStrictEqual([await fs.exists("/workspace/bin"), (await fs.readBytes("/workspace/old")).length], [
      false,
      300_000
    ])
    await fs.remove("/workspace/sub")
    await fs.remove("/workspace/sub")
    assert.isFalse(await fs.exists("/workspace/sub/deep"))
    assert.match(String(await failure(fs.read("/workspace/none"))), /none/)
    assert.match(String(await failure(fs.list("/workspace/none"))), /none/)
  })

  it("a watch tells of files, old names and new ones, until it is stopped", async () => {
    await using own = await held()
    const { fs, process } = own.sandbox
    await process.exec("mkdir sub")
    const told: Array<string> = []
    let isLast = () => {}
    const seen = new Promise<void>((resolve) => (isLast = resolve))
    const watch = await fs.watch!("/workspace", ({ path }) => {
      told.push(path)
      if (path.endsWith("last")) isLast()
    })
    await process.exec("echo 1 >sub/a; mv sub/a sub/b; mkdir none; touch last")
    await seen
    assert.includeMembers(told, ["/workspace/sub/a", "/workspace/sub/b", "/workspace/last"])
    assert.notInclude(told, "/workspace/none")
    await watch.stop()
    const before = told.length
    await process.exec("touch late")
    assert.lengthOf(told, before)
  })

  it("commands have the sandbox's variables under their own, a directory, and their exit code", async () => {
    await using own = await held({ env: { A: "create", B: "create" } })
    const { env, process } = own.sandbox
    await env.set({ B: "set", C: "set" })
    const { exitCode, stderr, stdout } = await process.exec("echo $A $B $C $PWD; echo bad >&2; exit 7", {
      cwd: "/tmp",
      env: { C: "own" }
    })
    assert.deepStrictEqual([exitCode, stderr, stdout], [7, "bad\n", "create set own /tmp\n"])
    const resumed = await provider.resume({ id: own.sandbox.id })
    assert.strictEqual((await resumed?.process.exec("echo $A $C"))?.stdout, "create set\n")
  })

  it("an aborted command ends in the guest", async () => {
    await using own = await held()
    const { process } = own.sandbox
    const abort = new AbortController()
    const running = failure(process.exec("touch started; sleep 987654", { signal: abort.signal }))
    await process.exec("until [ -e started ]; do sleep 0.1; done")
    abort.abort(new Error("stopped by the test"))
    assert.match(String(await running), /stopped by the test/)
    await process.exec("while pgrep -x sleep; do sleep 0.1; done")
  })

  it("a spawned process talks both ways, streams whole characters, and is killed with its children", async () => {
    await using own = await held()
    const { process } = own.sandbox
    const cat = await process.spawn("cat; echo end >&2; exit 5")
    await cat.stdin.write("€ one\n")
    await cat.stdin.write("two\n")
    await cat.stdin.end()
    assert.deepStrictEqual(await Promise.all([all(cat.stdout), all(cat.stderr), cat.wait()]), [
      "€ one\ntwo\n",
      "end\n",
      5
    ])
    assert.isAbove(cat.pid, 1)
    const split = await process.spawn(`printf '\\342'; sleep 0.3; printf '\\202\\254lo\\342'`)
    assert.strictEqual(await all(split.stdout), "€lo\uFFFD")
    const tree = await process.spawn("(sleep 987654 & sleep 987654; wait)")
    await tree.kill()
    assert.strictEqual(await tree.wait(), 143)
    await process.exec("while pgrep -x sleep; do sleep 0.1; done")
    await tree.kill(9)
    const events = []
    for await (const event of spawnNdjson(own.sandbox, `printf '{"n":1}\\n{"n":2}\\n'`)) events.push(event)
    assert.deepStrictEqual(events, [{ n: 1 }, { n: 2 }])
  })

  it("a port has one channel, and a fork has the files, the variables and a life of its own", async () => {
    await using own = await held({ env: { A: "kept" } })
    const { sandbox } = own
    await sandbox.fs.write("page", "served\n")
    const server = await sandbox.process.spawn("python3 -m http.server 3000")
    await sandbox.process.exec("until (: </dev/tcp/127.0.0.1/3000) 2>/dev/null; do sleep 0.1; done")
    const [one, two] = await Promise.all([sandbox.ports.connect(3000), sandbox.ports.connect(3000)])
    assert.deepStrictEqual(one, two)
    assert.strictEqual(await (await fetch(`${one.url}/page`)).text(), "served\n")
    const fork = await sandbox.fork!()
    assert.strictEqual((await fork.process.exec("echo $A; cat page")).stdout, "kept\nserved\n")
    await server.kill()
    await fork.fs.write("page", "changed\n")
    assert.strictEqual(await sandbox.fs.read("page"), "served\n")
    await fork.destroy()
  })

  it("one definition has one sandbox, which another process finds, and whose end is idempotent", async () => {
    const definition = defineSandbox({
      id: "repo",
      provider,
      workspace: defineWorkspace({ source: { type: "none" }, setup: ["echo ready >marker"] })
    })
    const ctx = { threadId: "thread", runId: "1" }
    const first = await definition.ensure(ctx)
    assert.strictEqual(first.id, definition.key(ctx))
    assert.strictEqual(await first.fs.read("marker"), "ready\n")
    const other = defineSandbox({ id: "repo", provider: pyroSandbox(small), workspace: definition.workspace! })
    const found = await other.ensure({ ...ctx, runId: "2", store: new InMemorySandboxStore() })
    assert.deepStrictEqual([found.id, await found.fs.read("marker")], [first.id, "ready\n"])
    await definition.destroy(ctx)
    await found.destroy()
    assert.isNull(await provider.resume({ id: first.id }))
    assert.isNull(await provider.resume({ id: "/no/such" }))
    await provider.destroy({ id: first.id })
  })

  it("a sandbox that is gone is restored from its snapshot, and set up once", async () => {
    const store = new InMemorySandboxStore()
    const definition = defineSandbox({
      id: "saved",
      provider: pyroSandbox({ ...small, workspaceUser: "agent" }),
      workspace: defineWorkspace({ source: { type: "none" }, setup: ["echo ran >>log"] })
    })
    const first = await definition.ensure({ threadId: "s", runId: "1", store })
    const { id, label } = await first.snapshot!("by hand")
    assert.strictEqual(label, "by hand")
    await first.destroy()
    const restored = await definition.ensure({ threadId: "s", runId: "2", store })
    assert.notStrictEqual(restored.id, first.id)
    assert.strictEqual((await restored.process.exec("cat log; id -un")).stdout, "ran\nagent\n")
    await restored.destroy()
    await using client = connect()
    for (const { kind, name } of await client.saved.list()) {
      assert.strictEqual(kind, "disk")
      await client.saved.delete(name)
    }
    assert.match(String(await failure(provider.restoreSnapshot!({ snapshotId: id }))), new RegExp(id))
  })

  it("a local source is in the workspace, setup runs, and a policy without network has none", async () => {
    const source = mkdtempSync(join(tmpdir(), "pyro-source-"))
    try {
      writeFileSync(join(source, "pnpm-lock.yaml"), "lockfileVersion: 9\n")
      const workspace = defineWorkspace({ source: localSource(source), setup: ["echo ran >>log"] })
      const policy = defineSandboxPolicy({ capabilities: { network: "deny" } })
      const open = pyroSandbox({ ...small, networkPolicy: "egress" })
      const sandbox = await open.create({ workspace, policy })
      const { packageManager } = await bootstrapWorkspace(sandbox, workspace)
      assert.deepStrictEqual([packageManager, await sandbox.fs.read("log")], ["pnpm", "ran\n"])
      const reached = await sandbox.process.exec(
        "timeout 20 python3 -c 'import socket; socket.create_connection((\"1.1.1.1\", 443), 15)'"
      )
      assert.notStrictEqual(reached.exitCode, 0)
      await sandbox.destroy()
    } finally {
      rmSync(source, { recursive: true, force: true })
    }
  })

  it("a chat with a scripted model works in the sandbox that the middleware gives", async () => {
    const sandbox = { current: undefined as SandboxHandle | undefined }
    const shell = toolDefinition({
      name: "shell",
      description: "Runs a command",
      inputSchema: z.object({ command: z.string() })
    })
      .server(async ({ command }) => (await sandbox.current!.process.exec(command)).stdout)
    const definition = defineSandbox({
      id: "chat",
      provider,
      workspace: defineWorkspace({ source: { type: "none" } }),
      fileEvents: false,
      lifecycle: { destroyOnComplete: true }
    })
    const adapter = scripted((found) => {
      sandbox.current = found
    })
    const said: Array<string> = []
    for await (
      const event of chat({
        adapter,
        messages: [{ role: "user", content: "Add." }],
        tools: [shell],
        threadId: "t",
        middleware: [withSandbox(definition)]
      })
    ) {
      if (event.type === EventType.TEXT_MESSAGE_CONTENT) said.push(event.delta)
    }
    assert.deepStrictEqual(said, ["The answer is 5."])
    assert.isNull(await provider.resume({ id: sandbox.current!.id }))
  })
})

/** A model that runs a command, and says the command's output. It needs a sandbox, as adapters of agents do. */
const scripted = (found: (sandbox: SandboxHandle) => void): AnyTextAdapter => ({
  kind: "text",
  name: "scripted",
  model: "scripted",
  requires: [SandboxCapability],
  "~types": {} as AnyTextAdapter["~types"],
  structuredOutput: () => Promise.reject(new Error("the script has no structured output")),
  async *chatStream({ capabilities, messages, threadId = "t", runId = "r" }) {
    found(getSandbox(capabilities!))
    yield { type: EventType.RUN_STARTED, threadId, runId }
    const last = messages.at(-1)
    if (last?.role === "tool") {
      const answer = `The answer is ${/\d+/.exec(String(last.content))?.[0]}.`
      yield { type: EventType.TEXT_MESSAGE_START, messageId: "m", role: "assistant" }
      yield { type: EventType.TEXT_MESSAGE_CONTENT, messageId: "m", delta: answer }
      yield { type: EventType.TEXT_MESSAGE_END, messageId: "m" }
      yield { type: EventType.RUN_FINISHED, threadId, runId, finishReason: "stop" }
      return
    }
    yield { type: EventType.TOOL_CALL_START, toolCallId: "c", toolCallName: "shell", toolName: "shell" }
    yield { type: EventType.TOOL_CALL_ARGS, toolCallId: "c", delta: JSON.stringify({ command: "echo $((2 + 3))" }) }
    yield { type: EventType.TOOL_CALL_END, toolCallId: "c" }
    yield { type: EventType.RUN_FINISHED, threadId, runId, finishReason: "tool_calls" }
  }
})
