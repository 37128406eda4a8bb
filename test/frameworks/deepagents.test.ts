import { AIMessage, type BaseMessage } from "@langchain/core/messages"
import { fakeModel } from "@langchain/core/testing"
import { createDeepAgent, SandboxError } from "deepagents"
import { PyroSandbox } from "pyro/deepagents"
import { connect } from "pyro/promises"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { ownPyro, small } from "./own-pyro.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

describe("pyro/deepagents", () => {
  ownPyro()
  let sandbox: PyroSandbox
  beforeAll(async () => {
    sandbox = await PyroSandbox.create({ ...small, workspaceUser: "agent", initialFiles: { "src/a b.txt": "one\n" } })
  })
  afterAll(() => sandbox.close())

  it("a deep agent writes, runs and edits in a workspace", async () => {
    const path = "/workspace/program.py"
    const model = fakeModel()
      .respondWithTools([{ name: "write_file", args: { file_path: path, content: "print(6 * 7)\n" } }])
      .respondWithTools([{ name: "execute", args: { command: `python3 ${path} 2>&1 || awk 'BEGIN { print 6 * 7 }'` } }])
      .respondWithTools([{ name: "edit_file", args: { file_path: path, old_string: "6 * 7", new_string: "7 * 7" } }])
      .respond(new AIMessage("done"))
    const agent = createDeepAgent({ model, backend: sandbox })
    const { messages } = await agent.invoke({ messages: [{ role: "user", content: "Play the script." }] })
    const told = (messages as ReadonlyArray<BaseMessage>).map(({ text }) => text).join("\n")
    assert.include(told, "42")
    assert.strictEqual(await sandbox.workspace.files.readText(path), "print(7 * 7)\n")
  })

  it("commands and files have the same user, odd names and any bytes", async () => {
    const path = "/workspace/it's \"odd\" $HOME/ü.bin"
    const content = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251)
    assert.deepStrictEqual(await sandbox.uploadFiles([[path, content]]), [{ path, error: null }])
    const [downloaded] = await sandbox.downloadFiles([path])
    assert.deepEqual(downloaded, { path, content, error: null })
    const { output } = await sandbox.execute("stat -c '%U %n' */* | sort; id -un; cat 'src/a b.txt'")
    assert.match(output, /agent it's "odd" \$HOME\/ü\.bin\nagent src\/a b\.txt\nagent\none\n$/)
  })

  it("each refusal of a file has its word, and the others succeed", async () => {
    await sandbox.execute("mkdir -p folder; echo secret > closed; chmod 0 closed")
    const results = await sandbox.downloadFiles([
      "/workspace/none",
      "/workspace/folder",
      "/workspace/src/a b.txt",
      "/etc/shadow"
    ])
    assert.deepStrictEqual(results.map(({ error }) => error), [
      "file_not_found",
      "is_directory",
      null,
      "permission_denied"
    ])
    const uploads = await sandbox.uploadFiles([["/etc/none", bytes("")], ["/workspace/folder", bytes("")], [
      "/workspace/ok",
      bytes("ok")
    ]])
    assert.deepStrictEqual(uploads.map(({ error }) => error), ["permission_denied", "is_directory", null])
  })

  it("output is in the order of arrival, says that it is cut, and a late command ends", async () => {
    assert.deepStrictEqual(await sandbox.execute("echo a; echo b >&2; echo c; exit 3"), {
      output: "a\nb\nc\n",
      exitCode: 3,
      truncated: false
    })
    const short = PyroSandbox.fromWorkspace(sandbox.workspace, { timeoutMs: 500, maxOutputBytes: 1000 })
    assert.isTrue((await short.execute("seq 1 10000")).truncated)
    assert.strictEqual((await short.execute("sleep 600")).exitCode, 124)
  })

  it("a sandbox is found by its id, and close deletes it, also twice", async () => {
    const first = await PyroSandbox.create({ ...small, labels: { thread: "t-1" } })
    await first.execute("echo kept > file")
    const again = await PyroSandbox.fromId(first.id)
    assert.strictEqual((await again.execute("cat file")).output, "kept\n")
    await first.close()
    await first.close()
    await again.close()
    assert.isFalse(first.isRunning)
    await using pyro = connect()
    assert.isNull(await pyro.get(first.id))
    const failure = await PyroSandbox.fromId(first.id).catch((error: unknown) => error)
    assert.isTrue(SandboxError.isInstance(failure))
    const closed = await first.execute("true").catch((error: unknown) => error)
    assert.isTrue(SandboxError.isInstance(closed))
  })
})
