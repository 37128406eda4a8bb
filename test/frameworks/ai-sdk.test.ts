import type { HarnessV1SandboxProvider } from "@ai-sdk/harness"
import { type Experimental_SandboxSession as SandboxSession, generateText, stepCountIs, tool } from "ai"
import { MockLanguageModelV4 } from "ai/test"
import { PyroSandboxSession } from "pyro/ai-sdk"
import { createPyroSandbox, type PyroNetworkSandboxSession } from "pyro/ai-sdk/harness"
import { connect } from "pyro/promises"
import { assert, describe, it } from "vitest"
import { z } from "zod"
import { ownPyro, small } from "./own-pyro.ts"

ownPyro()

/** A session for tools, whose workspace goes with the test. */
const held = async (options: { readonly cwd?: string } = {}) => {
  const client = connect()
  const workspace = await client.create({ ...small, ...options })
  return { workspace, session: new PyroSandboxSession(workspace), [Symbol.asyncDispose]: () => workspace.delete() }
}

const provided = async (
  provider: HarnessV1SandboxProvider,
  options?: Parameters<HarnessV1SandboxProvider["createSession"]>[0]
) => {
  const session = await provider.createSession(options)
  return { session, [Symbol.asyncDispose]: async () => session.destroy!() }
}

const text = (stream: ReadableStream<Uint8Array>) =>
  new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text()
const failure = (work: PromiseLike<unknown>) =>
  work.then(() => assert.fail("it was to fail"), (cause: unknown) => cause)

describe("the AI SDK on pyro", () => {
  it("files of any content and name are written and read by stream, bytes, text and lines", async () => {
    await using own = await held()
    const { session } = own
    const path = "a b/'q' \"d\" $x/ü.txt"
    await session.writeTextFile({ path, content: "one\r\ntwo\r\nthree\r\n" })
    assert.strictEqual(await session.readTextFile({ path: `/workspace/${path}`, startLine: 2, endLine: 2 }), "two")
    assert.strictEqual(await session.readTextFile({ path, startLine: 3, endLine: 9 }), "three\r\n")
    const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at % 256)
    await session.writeFile({ path: "bin", content: new Blob([bytes]).stream() })
    assert.deepStrictEqual(await session.readBinaryFile({ path: "bin" }), bytes)
    assert.strictEqual(
      (await new Response(await session.readFile({ path: "bin" }) as ReadableStream<Uint8Array<ArrayBuffer>>)
        .arrayBuffer()).byteLength,
      300_000
    )
    await session.writeTextFile({ path: "latin", content: "hällo", encoding: "latin1" })
    assert.deepStrictEqual(await session.stat({ path: "latin" }), { type: "file", size: 5 })
    assert.strictEqual(await session.readTextFile({ path: "latin", encoding: "latin1" }), "hällo")
  })

  it("what is absent is null, and a directory is no file", async () => {
    await using own = await held()
    const { session } = own
    const path = "/tmp/none/at/all"
    assert.deepStrictEqual(
      await Promise.all([
        session.readFile({ path }),
        session.readBinaryFile({ path }),
        session.readTextFile({ path }),
        session.stat({ path }),
        session.listDirectory({ path }),
        session.deleteFile({ path })
      ]),
      [null, null, null, null, null, false]
    )
    await session.run({ command: "mkdir d; ln -s none l; mkfifo p; echo x >f" })
    const entries = (await session.listDirectory({ path: "." }))!.map(({ name, type }) => `${name} ${type}`).sort()
    assert.deepStrictEqual(entries, ["d directory", "f file", "l symlink", "p other"])
    assert.isTrue(await session.deleteFile({ path: "l" }))
    const failures = await Promise.all(
      [
        session.deleteFile({ path: "d" }),
        session.readTextFile({ path: "d" }),
        session.listDirectory({ path: "f" }),
        session.writeTextFile({ path: "d", content: "" })
      ].map(failure)
    )
    for (const one of failures) assert.instanceOf(one, Error)
  })

  it("relative paths and commands begin in one directory", async () => {
    await using own = await held({ cwd: "sub" })
    const { session } = own
    await session.writeTextFile({ path: "f", content: "here" })
    const { stdout } = await session.run({ command: "cat f; pwd" })
    assert.strictEqual(stdout, "here/workspace/sub\n")
    assert.strictEqual(
      (await session.run({ command: "pwd; echo $A; exit 3", workingDirectory: "..", env: { A: "'\"$" } })).stdout,
      "/workspace\n'\"$\n"
    )
    assert.include(session.description, "/workspace/sub")
  })

  it("a process streams, reads its stdin, and is killed by kill and by an abort", async () => {
    await using own = await held()
    const { session } = own
    const cat = await session.spawn({ command: "cat; echo bad >&2; exit 7", stdin: true })
    const writer = cat.stdin.getWriter()
    await writer.write(new TextEncoder().encode("typed\n"))
    await writer.close()
    assert.deepStrictEqual(await Promise.all([text(cat.stdout), text(cat.stderr), cat.wait()]), ["typed\n", "bad\n", {
      exitCode: 7
    }])
    const closed = await session.spawn({ command: "cat" })
    assert.deepStrictEqual(["stdin" in closed, await closed.wait()], [false, { exitCode: 0 }])
    const sleeping = await session.spawn({ command: "sleep 987654 & wait" })
    await sleeping.kill()
    await sleeping.kill()
    assert.deepStrictEqual(await sleeping.wait(), { exitCode: 137 })
    const abort = new AbortController()
    const aborted = await session.spawn({ command: "sleep 987654", abortSignal: abort.signal })
    abort.abort(new Error("stopped by the test"))
    assert.match(String(await failure(aborted.wait())), /stopped by the test/)
    assert.match(
      String(await failure(session.run({ command: "sleep 987654", abortSignal: abort.signal }))),
      /stopped by the test/
    )
    await session.run({ command: "while pgrep -x sleep; do sleep 0.1; done" })
  })

  it("a model works by tools that get the sandbox", async () => {
    await using own = await held()
    const shell = tool({
      description: "Runs a command",
      inputSchema: z.object({ command: z.string() }),
      execute: async ({ command }, { experimental_sandbox: sandbox }) => (await sandbox!.run({ command })).stdout
    })
    const usage = {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 1, text: 1, reasoning: 0 }
    }
    const model = new MockLanguageModelV4({
      doGenerate: ({ prompt }) => {
        const last = prompt.at(-1)
        const input = JSON.stringify({ command: "echo $((2 + 3)) | tee answer" })
        return Promise.resolve(
          last?.role === "tool"
            ? {
              content: [{ type: "text", text: JSON.stringify(last.content) }],
              finishReason: { unified: "stop", raw: "stop" },
              usage,
              warnings: []
            }
            : {
              content: [{ type: "tool-call", toolCallId: "c", toolName: "shell", input }],
              finishReason: { unified: "tool-calls", raw: "tool" },
              usage,
              warnings: []
            }
        )
      }
    })
    const answer = await generateText({
      model,
      tools: { shell },
      prompt: "Add.",
      stopWhen: stepCountIs(3),
      experimental_sandbox: own.session
    })
    assert.include(answer.text, "5\\n")
    assert.strictEqual(await own.session.readTextFile({ path: "answer" }), "5\n")
  })

  it("a session is found by its id in another process, also when it was stopped, and destroyed once", async () => {
    const provider = createPyroSandbox(small)
    const sessionId = "thread/7 of https://a.example"
    const session = await provider.createSession({ sessionId })
    assert.deepStrictEqual([session.id, session.defaultWorkingDirectory], [sessionId, "/workspace"])
    await session.writeTextFile({ path: "kept", content: "kept" })
    await session.stop()
    await session.stop()
    const resumed = await createPyroSandbox(small).resumeSession!({ sessionId })
    assert.strictEqual(await resumed.readTextFile({ path: "kept" }), "kept")
    await resumed.destroy!()
    await session.destroy!()
    await session.stop()
    assert.match(String(await failure(provider.resumeSession!({ sessionId }))), /no workspace/)
  })

  it("ports have endpoints, which go with the list, and tools cannot reach them", async () => {
    await using own = await provided(createPyroSandbox({ ...small, ports: [3000] }))
    const { session } = own
    await session.writeTextFile({ path: "page", content: "served" })
    await session.spawn({ command: "python3 -m http.server 3000" })
    await session.run({ command: "until (: </dev/tcp/127.0.0.1/3000) 2>/dev/null; do sleep 0.1; done" })
    const url = await session.getPortUrl({ port: 3000 })
    assert.strictEqual(await (await fetch(new URL("page", url))).text(), "served")
    assert.match(await session.getPortUrl({ port: 3000, protocol: "ws" }), /^ws:/)
    // A word of newer releases.
    assert.deepStrictEqual(await (session as PyroNetworkSandboxSession).getPortEndpoint({ port: 3000 }), { url })
    await session.setPorts!([3001])
    assert.deepStrictEqual(session.ports, [3001])
    assert.instanceOf(await failure(fetch(url)), Error)
    const restricted: SandboxSession = session.restricted() as SandboxSession
    assert.notProperty(restricted, "getPortEndpoint")
    assert.isFalse("stop" in restricted || "setNetworkPolicy" in restricted)
  })

  it("policies of the network are kept, or refused", async () => {
    await using client = connect()
    await using workspace = await client.create(small)
    const session = await createPyroSandbox({ workspace }).createSession()
    const network = async () => {
      const { allowHosts, allowIps, networkPolicy } = (await workspace.status()).network!
      return { allowHosts, allowIps, networkPolicy }
    }
    await session.setNetworkPolicy!({ mode: "allow-all" })
    assert.deepStrictEqual(await network(), { networkPolicy: "egress", allowHosts: [], allowIps: [] })
    await session.setNetworkPolicy!({
      mode: "custom",
      allowedHosts: ["example.com"],
      deniedCIDRs: ["169.254.169.254/32"]
    })
    assert.deepStrictEqual((await network()).networkPolicy, "egress")
    assert.match((await network()).allowHosts.join(), /^example\.com/)
    await session.setNetworkPolicy!({ mode: "custom", allowedHosts: [] })
    assert.strictEqual((await network()).networkPolicy, "off")
    const refused = session.setNetworkPolicy!({
      mode: "custom",
      allowedHosts: ["example.com"],
      deniedCIDRs: ["8.8.8.0/24"]
    })
    assert.match(String(await failure(refused)), /8\.8\.8\.0\/24/)
    await session.setNetworkPolicy!({ mode: "deny-all" })
    await session.stop()
    await session.destroy!()
    assert.strictEqual((await workspace.status()).state, "running", "a session of a given workspace does not end it")
  })

  it("a set-up is done once for an identity, and a failed one leaves nothing", async () => {
    const provider = createPyroSandbox(small)
    let times = 0
    const onFirstCreate = async (session: { readonly run: SandboxSession["run"] }) => {
      times++
      await session.run({ command: "echo installed >/opt/tool" })
    }
    await using one = await provided(provider, { identity: "recipe-1", onFirstCreate, sessionId: "s1" })
    await using two = await provided(provider, { identity: "recipe-1", onFirstCreate })
    for (const { session } of [one, two]) {
      assert.strictEqual(await session.readTextFile({ path: "/opt/tool" }), "installed\n")
    }
    assert.deepStrictEqual([times, one.session.id === "s1", one.session.id === two.session.id], [1, true, false])
    await using client = connect()
    assert.deepStrictEqual((await client.saved.list()).map(({ name }) => name), ["ai-sdk-recipe-1"])
    const before = (await client.list()).length
    const refused = provider.createSession({
      identity: "recipe-2",
      onFirstCreate: () => Promise.reject(new Error("no such package"))
    })
    assert.match(String(await failure(refused)), /no such package/)
    assert.lengthOf(await client.list(), before)
    assert.lengthOf(await client.saved.list(), 1)
  })
})
