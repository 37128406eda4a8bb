import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { buildFake } from "../cli/build-fake.ts"
import { run } from "../cli/cli-process.ts"
import { rssOf } from "../support/host/process-facts.ts"
import { until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"
import { projectServers } from "./project-servers.ts"
import type { rawClient } from "./raw-client.ts"

const binary = buildFake()
/** File in which the daemon writes which commands it was asked to end. */
const ends = path.join(binary.env["PYRO_STATE_DIR"]!, "released")
const { project, serve } = projectServers(binary)

const ready = async (...args: ReadonlyArray<string>) => {
  const client = serve(args)
  await client.initialize()
  return client
}

const workspaces = async () => {
  const { stdout } = await run(binary, ["workspace", "list", "--json"])
  return (JSON.parse(stdout.toString()) as { readonly workspaces: ReadonlyArray<{ readonly id: string }> }).workspaces
}

beforeAll(() => fs.mkdirSync(path.join(project, "src")))

const MODERN = {
  _meta: {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {}
  }
}

describe("the handshake", () => {
  it.each(["2024-10-07", "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])(
    "the server speaks revision %s and its tools work",
    async (version) => {
      const client = serve([])
      const { result } = await client.initialize(version)
      assert.strictEqual(result!["protocolVersion"], version)
      assert.include(result!["instructions"] as string, fs.realpathSync(project))
      const { structuredContent } = await client.call("workspace_list", {})
      assert.isArray(structuredContent!["workspaces"])
      await client.close()
    }
  )

  it("revision 2026-07-28 needs no handshake", async () => {
    const client = serve([])
    const { result: discovered } = await client.request("server/discover", MODERN)
    assert.include(JSON.stringify(discovered), "2026-07-28")
    const { result: tools } = await client.request("tools/list", MODERN)
    assert.lengthOf(tools!["tools"] as ReadonlyArray<unknown>, 16)
    const { structuredContent } = await client.call("workspace_list", {}, MODERN)
    assert.isArray(structuredContent!["workspaces"])
    await client.close()
  })
})

describe("a session in a part of a project", () => {
  it("the instructions name the directory, on the host and in a workspace", async () => {
    const folder = path.join(project, "packages/web")
    fs.mkdirSync(folder, { recursive: true })
    const client = serve([], folder)
    const { result } = await client.initialize()
    const text = result!["instructions"] as string
    assert.include(text, `Bound project: ${fs.realpathSync(project)}. `)
    assert.include(text, " The user's directory is packages/web, in a workspace /workspace/packages/web.")
    await client.close()
    const root = serve([])
    assert.notInclude((await root.initialize()).result!["instructions"] as string, "The user's directory")
    await root.close()
  })
})

describe("the list of tools", () => {
  it("the list of tools has the same bytes for every client", async () => {
    const texts: Array<string> = []
    for (const client of [await ready(), await ready()]) {
      for (const _ of [1, 2]) texts.push(JSON.stringify((await client.request("tools/list")).result))
      await client.close()
    }
    assert.strictEqual(new Set(texts).size, 1)
  })
})

describe("a call", () => {
  it("a failed call is a result, and an unknown tool is an error with the known names", async () => {
    const client = await ready()
    const failed = await client.call("workspace_status", { workspace_id: "nope" })
    assert.isTrue(failed.isError)
    assert.match(failed.content[0]!.text, /^workspace_not_found: /)
    // One of another profile gets a sentence, as a result: Codex shows its model a stack trace for an error of the protocol.
    const elsewhere = await client.call("workspace_fork", {})
    assert.isTrue(elsewhere.isError)
    assert.match(
      elsewhere.content[0]!.text,
      /^invalid_request: workspace_fork is a tool of the profile workspace-full, and this server has the profile workspace-core; the user/
    )
    const { error } = await client.request("tools/call", { name: "workspace_fly", arguments: {} })
    assert.strictEqual(error?.code, -32602)
    assert.include(error?.message, "workspace_exec")
    await client.close()
  })

  it("200 calls run at the same time", async () => {
    const client = await ready()
    const id = await client.create({ empty: true })
    const numbers = Array.from({ length: 200 }, (_, at) => at)
    const results = await Promise.all(
      numbers.map((at) => client.call("workspace_exec", { workspace_id: id, command: `echo ${at}` }))
    )
    assert.deepStrictEqual(
      results.map((one) => one.structuredContent?.["stdout"]),
      numbers.map((at) => `${at}\n`)
    )
    await client.close()
  })

  it("an argument of 12 MB is refused by its own limit, and the connection stays", async () => {
    const client = await ready()
    const id = await client.create({ empty: true })
    const write = (text: string) => client.call("workspace_file_write", { workspace_id: id, path: "large", text })
    const refused = await write("x".repeat(12_000_000))
    assert.isTrue(refused.isError)
    assert.match(refused.content[0]!.text, /^invalid_request: text: must be at most 8388608 bytes/)
    // Six characters of JSON each.
    const written = await write("\u0001".repeat(2_000_000))
    assert.strictEqual(written.structuredContent?.["size_bytes"], 2_000_000)
    await client.close()
  })

  it("a cancelled call gets no answer, and the next call works", async () => {
    const client = await ready()
    const id = await client.create({ empty: true })
    const { id: slow } = client.send("tools/call", {
      name: "workspace_exec",
      arguments: { workspace_id: id, command: "sleep 30" }
    })
    client.notify("notifications/cancelled", { requestId: slow, reason: "enough" })
    await client.call("workspace_list", {})
    assert.isFalse(client.messages.some((message) => message.id === slow))
    await client.close()
  })
})

describe("a client that floods the server", () => {
  it("two thousand calls that are cancelled at once get no answer and leave no warning", async () => {
    const client = await ready()
    const id = await client.create({ empty: true })
    // More than the connection to the daemon takes at once.
    const args = { workspace_id: id, command: `true ${"x".repeat(2_000)}` }
    const sent = Array.from({ length: 2_000 }, (_, at) => [
      { id: `c${at}`, method: "tools/call", params: { name: "workspace_exec", arguments: args } },
      { method: "notifications/cancelled", params: { requestId: `c${at}` } }
    ]).flat()
    client.child.stdin.write(sent.map((one) => `${JSON.stringify({ jsonrpc: "2.0", ...one })}\n`).join(""))
    await client.call("workspace_list", {})
    assert.isFalse(client.messages.some((message) => String(message.id).startsWith("c")))
    await client.close()
    assert.strictEqual(client.stderr(), "")
  })

  it.each<readonly [string, object]>([
    ["notifications/cancelled", { requestId: 4242 }],
    ["notifications/progress", { progressToken: 1, progress: 1 }],
    ["notifications/initialized", {}],
    ["notifications/roots/list_changed", {}],
    ["notifications/__proto__", {}]
  ])("thousands of %s get no answer and leave no warning", async (method, params) => {
    const client = await ready()
    for (let at = 0; at < 5_000; at++) client.notify(method, params)
    assert.deepStrictEqual((await client.request("ping")).result, {})
    await client.close()
    assert.lengthOf(client.messages, 2)
    assert.strictEqual(client.stderr(), "")
  })
})

describe("paths of the host", () => {
  const home = () => process.env["HOME"] ?? "/root"

  it("host paths outside of the project are refused in every form", async () => {
    fs.symlinkSync(home(), path.join(project, "out"))
    fs.symlinkSync("../..", path.join(project, "src/up"))
    const client = await ready()
    for (
      const seed_path of ["~/.ssh", "~", "/etc", "..", "src/../..", "out", "out/.ssh", "src/up", "/proc/self/root"]
    ) {
      const { content, isError } = await client.call("workspace_create", { seed_path })
      assert.isTrue(isError, seed_path)
      assert.match(content[0]!.text, /^invalid_request: seed_path: .* outside of the project/, seed_path)
    }
    const { structuredContent } = await client.call("workspace_create", { seed_path: "src" })
    const { seed_path } = structuredContent!["workspace"] as { readonly seed_path: string }
    assert.strictEqual(seed_path, path.join(fs.realpathSync(project), "src"))
    await client.close()
  })

  it("exports outside of the project are refused", async () => {
    const client = await ready()
    const id = await client.create({})
    for (const output_path of ["~/.bashrc", "/tmp/x", "../x", "out/x", "src/up/x", "out/new/x"]) {
      const { content, isError } = await client.call("workspace_export", { workspace_id: id, path: "a", output_path })
      assert.isTrue(isError, output_path)
      assert.match(content[0]!.text, /^invalid_request: output_path: .* outside of the project/, output_path)
    }
    await client.close()
  })

  it("--allow-read and --allow-export allow paths outside of the project", async () => {
    const other = fs.mkdtempSync(path.join(binary.folder, "other-"))
    const client = await ready("--allow-read", other)
    assert.isUndefined((await client.call("workspace_create", { seed_path: other })).isError)
    assert.isTrue(
      (await client.call("workspace_export", { workspace_id: "a", path: "a", output_path: `${other}/x` })).isError
    )
    await client.close()
  })

  it("without a project no host path is allowed, and a home directory and / are no projects", async () => {
    for (const refused of ["/", home(), "/nowhere/at/all"]) {
      const { status, stderr } = await run(binary, ["mcp", "serve", "--project-path", refused])
      assert.strictEqual(status, 2)
      assert.include(stderr, "--project-path")
    }
    const client = serve([], "/")
    const { result } = await client.initialize()
    assert.include(result!["instructions"] as string, "No project is bound")
    assert.isTrue((await client.call("workspace_create", { seed_path: "/tmp" })).isError)
    assert.isUndefined((await client.call("workspace_create", {})).isError)
    await client.close()
  })
})

describe("the end", () => {
  it("the end of stdin ends the server and no workspace", async () => {
    const client = await ready()
    const id = await client.create({ empty: true })
    const { code, rest } = await client.close()
    assert.deepStrictEqual({ code, rest }, { code: 0, rest: "" })
    assert.include((await workspaces()).map((one) => one.id), id)
  })

  /** A server with a command that a call waits for and one that has outlived its call; `waited` gives how often a call's was ended. */
  const waiting = async () => {
    const client = await ready()
    const id = await client.create({ empty: true })
    const detached = await client.call("workspace_exec", { workspace_id: id, command: "sleep 60", wait_seconds: 0.3 })
    assert.strictEqual(detached.structuredContent?.["state"], "running")
    const before = cancels()
    const started = path.join(binary.folder, `started-${id}`)
    const { id: call } = client.send("tools/call", {
      name: "workspace_exec",
      arguments: { workspace_id: id, command: `touch ${started}; sleep 60` }
    })
    await until("it runs", () => fs.existsSync(started))
    const ended = () => cancels().slice(before.length)
    return { client, id, call, detached: String(detached.structuredContent?.["exec_id"]), ended }
  }
  const cancels = () =>
    fs.existsSync(ends) ? fs.readFileSync(ends, "utf8").split("\n").filter((line) => line.startsWith("cancel ")) : []

  it.each<readonly [string, number | null, (client: ReturnType<typeof rawClient>) => void]>([
    ["of stdin", 0, ({ child }) => child.stdin.end()],
    ["by SIGTERM", 143, ({ child }) => child.kill("SIGTERM")],
    ["by a client that is gone", 0, ({ child }) => {
      child.stdout.destroy()
      child.stdin.destroy()
    }]
  ])(
    "%s ends the commands that calls wait for, no returned command, and no workspace",
    async (_, code, end) => {
      const { client, ended, detached, id } = await waiting()
      end(client)
      assert.strictEqual((await client.ended).code, code)
      assert.lengthOf(ended(), 1)
      assert.notInclude(ended(), `cancel ${detached}`)
      assert.include((await workspaces()).map((one) => one.id), id)
    }
  )

  it("SIGINT does not end the server", async () => {
    const { call, client, ended } = await waiting()
    client.child.kill("SIGINT")
    client.notify("notifications/cancelled", { requestId: call })
    await until("it is ended", () => ended().length === 1)
    client.child.kill("SIGINT")
    await client.call("workspace_list", {})
    await client.close()
    assert.lengthOf(ended(), 1)
  })

  it.each(["MCP error -32001: Request timed out", "request timeout"])(
    "a client that waits no longer (%s) ends no command",
    async (reason) => {
      const { call, client, ended, id } = await waiting()
      client.notify("notifications/cancelled", { requestId: call, reason })
      const started = path.join(binary.folder, `other-${id}`)
      const { id: other } = client.send("tools/call", {
        name: "workspace_exec",
        arguments: { workspace_id: id, command: `touch ${started}; sleep 60` }
      })
      await until("the other one runs", () => fs.existsSync(started))
      client.notify("notifications/cancelled", { requestId: other, reason: "AbortError: the person has cancelled" })
      await until("the other one is ended", () => ended().length > 0)
      await client.close()
      assert.lengthOf(ended(), 1)
    }
  )

  it("SIGTERM after SIGINT and a cancel still ends the command", async () => {
    const { call, client, ended } = await waiting()
    client.child.kill("SIGINT")
    client.notify("notifications/cancelled", { requestId: call })
    client.child.kill("SIGTERM")
    assert.strictEqual((await client.ended).code, 143)
    assert.lengthOf(ended(), 1)
  })

  it("SIGINT before the first request does not end the server", async () => {
    const client = serve([])
    await client.initialize()
    client.child.kill("SIGINT")
    await client.call("workspace_list", {})
    client.child.kill("SIGTERM")
    assert.strictEqual((await client.ended).code, 143)
    const early = serve([])
    await early.initialize()
    early.child.kill("SIGTERM")
    assert.strictEqual((await early.ended).code, 143)
  })

  it("the server ends when its client is killed", async () => {
    const client = await ready()
    client.child.stdout.destroy()
    client.child.stdin.destroy()
    await client.ended
  })
})

describe("a client that reads late or never", () => {
  it("a client that reads late gets every answer, and the server warns of nothing", async () => {
    const client = await ready()
    client.child.stdout.pause()
    const answers = Array.from({ length: 300 }, () => client.request("tools/list"))
    await until("answers wait to be read", () => client.child.stdout.readableLength > 0)
    client.child.stdout.resume()
    for (const { result } of await Promise.all(answers)) assert.isDefined(result)
    await client.close()
    assert.strictEqual(client.stderr(), "")
  })

  it("a client that never reads is no longer read, costs little memory, and does not keep the server alive", async () => {
    const client = await ready()
    client.child.stdout.pause()
    const line = `${JSON.stringify({ jsonrpc: "2.0", id: 1_000, method: "tools/list", params: {} })}\n`
    let isFull = false
    for (let sent = 0; sent < 20_000 && !isFull; sent += 100) {
      isFull = !client.child.stdin.write(line.repeat(100))
      if (isFull) await lapsed(100)
      // Still taken by the server: more.
      isFull &&= client.child.stdin.writableLength > 0
    }
    assert.isTrue(isFull, "it read 20,000 requests without an answer being taken")
    await until("it waits", () => client.child.stdin.writableLength > 0)
    assert.isBelow(rssOf(client.child.pid!), 300 * 1_048_576)
    client.child.kill("SIGTERM")
    client.child.stdout.destroy()
    await client.ended
  })
})
