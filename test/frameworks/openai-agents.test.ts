import { run } from "@openai/agents"
import { file, gitRepo, localDir, Manifest, SandboxAgent, SandboxUnsupportedFeatureError } from "@openai/agents/sandbox"
import { assistantMessage, functionCall, ScriptedModel } from "@openai/agents/testing"
import { randomUUID } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PyroSandboxClient, type PyroSession } from "pyro/openai-agents"
import { connect } from "pyro/promises"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { serveOnce } from "./guest-server.ts"
import { ownPyro, small } from "./own-pyro.ts"

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64"
)
const call = (name: string, args: Record<string, unknown>) =>
  functionCall(name, args, { callId: `call-${randomUUID()}` })
const failed = async (work: Promise<unknown>) =>
  work.then(() => assert.fail("it did not fail"), (error: unknown) => error as Error)

describe("pyro/openai-agents", () => {
  ownPyro()
  const client = new PyroSandboxClient({ ...small, workspaceUser: "agent", env: { STAGE: "test" } })
  const source = mkdtempSync(join(tmpdir(), "pyro-source-"))
  let session: PyroSession
  beforeAll(async () => {
    mkdirSync(join(source, "lib"))
    writeFileSync(join(source, "lib/run.sh"), "echo run\n", { mode: 0o755 })
    session = await client.create({
      manifest: {
        entries: {
          "notes.md": { type: "file", content: "one\ntwo\n" },
          "from-host": localDir({ src: source }),
          "a.png": { type: "file", content: PNG }
        },
        environment: { NAME: { value: "ada" }, SECRET: { value: "hidden", ephemeral: true } },
        extraPathGrants: [{ path: source }]
      }
    })
  })
  afterAll(async () => {
    await session.close()
    rmSync(source, { recursive: true, force: true })
  })

  it("an agent runs commands, patches and looks in a workspace, which ends with the run", async () => {
    const operation = { type: "update_file", path: "notes.md", diff: "@@\n-one\n+first\n two" } as const
    const model = new ScriptedModel([
      [call("exec_command", { cmd: "cat notes.md; echo $((6 * 7))" })],
      [{ type: "apply_patch_call", callId: "call-patch", status: "completed", operation }],
      [call("exec_command", { cmd: "cat notes.md" })],
      [assistantMessage("done")]
    ])
    const agent = new SandboxAgent({
      name: "coder",
      instructions: "Work.",
      model,
      defaultManifest: new Manifest({ entries: { "notes.md": file({ content: "one\ntwo\n" }) } })
    })
    const result = await run(agent, "Play the script.", { sandbox: { client } })
    assert.strictEqual(result.finalOutput, "done")
    const told = JSON.stringify(result.history)
    assert.include(told, "one\\ntwo\\n42")
    assert.include(told, "first\\ntwo")
    await using pyro = connect()
    assert.lengthOf(await pyro.list(), 1)
  })

  it("a manifest gives files with their modes and owner, and variables", async () => {
    const { output } = await session.exec({
      cmd: "stat -c '%n %a %U' notes.md from-host/lib/run.sh; echo $STAGE $NAME $SECRET; pwd"
    })
    assert.strictEqual(output, "notes.md 755 agent\nfrom-host/lib/run.sh 755 agent\ntest ada hidden\n/workspace\n")
    symlinkSync("/etc", join(source, "link"))
    assert.include(
      (await failed(session.materializeEntry({ path: "x", entry: localDir({ src: source }) }))).message,
      "symbolic link"
    )
    rmSync(join(source, "link"))
    assert.include(
      (await failed(session.materializeEntry({ path: "x", entry: localDir({ src: "/etc/apt" }) }))).message,
      "extraPathGrants"
    )
    assert.include(
      (await failed(session.materializeEntry({ path: "x", entry: gitRepo({ repo: "none/none" }) }))).message,
      "was not cloned"
    )
    const mount = { type: "s3_mount", bucket: "b" } as const
    assert.instanceOf(
      await failed(session.materializeEntry({ path: "x", entry: mount })),
      SandboxUnsupportedFeatureError
    )
  })

  it("commands give outputs, exit codes and a number while they run; a terminal takes keys", async () => {
    const both = await session.exec({ cmd: "echo a; echo b >&2; exit 3", workdir: "from-host" })
    assert.deepInclude(both, { stdout: "a\n", stderr: "b\n", output: "a\nb\n", exitCode: 3 })
    assert.match(
      await session.execCommand({ cmd: "seq 1 10000", maxOutputTokens: 100 }),
      /exited with code 0\nOriginal token count: 12\d+\nOutput:\nTotal output lines: \d+\n\n1\n[^]*tokens truncated/
    )
    const slow = await session.exec({
      cmd: "read line; echo got $line; trap 'echo bye; exit 5' INT; sleep 600",
      tty: true,
      yieldTimeMs: 500
    })
    const sessionId = slow.sessionId!
    assert.isUndefined(slow.exitCode)
    assert.match(await session.writeStdin({ sessionId, chars: "ü\n", yieldTimeMs: 1500 }), /session ID \d+[^]*got ü/)
    assert.match(
      await session.writeStdin({ sessionId, chars: "\u0003", yieldTimeMs: 10_000 }),
      /exited with code 5[^]*bye/
    )
    assert.include((await failed(session.writeStdin({ sessionId }))).message, String(sessionId))
    assert.strictEqual((await session.exec({ cmd: "id -un", runAs: "root" })).output, "root\n")
  })

  it("files are read, listed and seen as images; absent ones and other places are told apart", async () => {
    assert.deepStrictEqual(await session.readFile({ path: "notes.md", maxBytes: 3 }), new TextEncoder().encode("one"))
    assert.strictEqual((await failed(session.readFile({ path: "none" }))).name, "SandboxWorkspaceReadNotFoundError")
    assert.deepInclude(await session.listDir({ path: "from-host" }), {
      name: "lib",
      path: "from-host/lib",
      type: "dir"
    })
    assert.isTrue(await session.pathExists("a.png"))
    assert.isFalse(await session.directoryExists("a.png"))
    assert.deepEqual(await session.viewImage({ path: "a.png" }), {
      type: "image",
      image: { data: Uint8Array.from(PNG), mediaType: "image/png" }
    })
    assert.match((await failed(session.viewImage({ path: "notes.md" }))).message, /Unsupported image format/)
    assert.match((await failed(session.readFile({ path: "../etc/passwd" }))).message, /escape|outside/i)
  })

  it("an editor makes, moves and deletes files", async () => {
    const editor = session.createEditor()
    await editor.createFile({ type: "create_file", path: "new/a b.txt", diff: "+one\n+two" })
    assert.match(
      (await failed(Promise.resolve(editor.createFile({ type: "create_file", path: "new/a b.txt", diff: "+x" }))))
        .message,
      /already exists/
    )
    await editor.updateFile({
      type: "update_file",
      path: "new/a b.txt",
      diff: "@@\n one\n-two\n+three",
      moveTo: "new/c.txt"
    })
    assert.strictEqual((await session.exec({ cmd: "ls new; cat new/c.txt" })).output, "c.txt\none\nthree")
    await editor.deleteFile({ type: "delete_file", path: "new/c.txt" })
    assert.isFalse(await session.pathExists("new/c.txt"))
  })

  it("a tar of the files goes into another session, whose files stay if the tar is bad", async () => {
    await session.exec({ cmd: "head -c 200000 /dev/urandom > 'big $x'; ln -s notes.md link" })
    const tar = await session.persistWorkspace()
    const other = await client.create(new Manifest({ entries: { old: file({ content: "old" }) } }))
    assert.match((await failed(other.hydrateWorkspace(new TextEncoder().encode("no tar")))).message, /cannot be read/)
    assert.match(
      (await failed(other.hydrateWorkspace(tar, { archiveLimits: { maxMembers: 2 } }))).message,
      /members, more than 2/
    )
    assert.isTrue(await other.pathExists("old"))
    await other.hydrateWorkspace(tar)
    const sum = { cmd: "ls -A; sha256sum big* link; stat -c %U notes.md" }
    assert.strictEqual((await other.exec(sum)).output, (await session.exec(sum)).output)
    await other.close()
    await other.close()
  })

  it("a port of the guest has an address on this host", async () => {
    const { output, sessionId } = await session.exec({ cmd: serveOnce(8080), yieldTimeMs: 250 })
    let told = output
    while (!told.includes("ready")) told += await session.writeStdin({ sessionId: sessionId!, yieldTimeMs: 250 })
    const { host, port, url } = await session.resolveExposedPort(8080)
    assert.strictEqual(host, "127.0.0.1")
    assert.strictEqual(await (await fetch(url!)).text(), "served")
    assert.strictEqual(session.state.exposedPorts?.["8080"]?.port, port)
  })

  it("a serialized session goes on in another program, and is made anew if it is gone", async () => {
    const kept = await client.create({
      options: { pauseOnExit: true },
      manifest: { entries: { f: file({ content: "kept" }) }, environment: { T: { value: "x", ephemeral: true } } }
    })
    const server = await kept.exec({ cmd: "exec sleep 987654", yieldTimeMs: 1 })
    const json = JSON.stringify(await client.serializeSessionState(kept.state))
    assert.notInclude(json, "\"T\"")
    await kept.close()
    const other = new PyroSandboxClient(small)
    const again = await other.resume(await other.deserializeSessionState(JSON.parse(json) as Record<string, unknown>))
    assert.isNumber(server.sessionId)
    assert.deepInclude(await again.exec({ cmd: "cat f; echo $STAGE; pgrep -cx sleep" }), { output: "kepttest\n1\n" })
    await other.delete(again.state)
    await other.delete(again.state)
    assert.isFalse(await again.running())
    const anew = await other.resume(again.state)
    assert.notStrictEqual(anew.state.workspaceId, again.state.workspaceId)
    assert.strictEqual((await anew.exec({ cmd: "cat f" })).output, "kept")
    await other.delete(anew.state)
  })

  it("a run goes on with the state of a session that has ended", async () => {
    const kept = new PyroSandboxClient({ ...small, pauseOnExit: true })
    const first = await kept.create()
    const write = new ScriptedModel([[call("exec_command", { cmd: "echo first > file" })], [assistantMessage("one")]])
    await run(new SandboxAgent({ name: "coder", instructions: "Work.", model: write }), "Begin.", {
      sandbox: { session: first }
    })
    const state = await kept.deserializeSessionState(await kept.serializeSessionState(first.state))
    await first.close()
    const read = new ScriptedModel([[call("exec_command", { cmd: "cat file" })], [assistantMessage("two")]])
    const next = new SandboxAgent({ name: "coder", instructions: "Work.", model: read })
    const result = await run(next, "Go on.", { sandbox: { client: kept, sessionState: state } })
    assert.include(JSON.stringify(result.history), "Output:\\nfirst")
    await kept.delete(state)
  })
})
