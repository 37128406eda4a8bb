import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { rawClient } from "../mcp/raw-client.ts"
import { installation } from "../support/installation.ts"
import { failed, type StockClient, stockClients, succeeded } from "../support/mcp/mcp-clients.ts"
import { pyroPath, until } from "../support/pyro-cli.ts"

const { close, env, folder, json, sh } = installation("pyro-mcp-")
const project = path.join(folder, "project")

interface Exec {
  readonly state: string
  readonly outcome: string | null
  readonly exit_code: number | null
  readonly stdout: string
  readonly exec_id: string
  readonly next_cursor: string | null
}

beforeAll(async () => {
  fs.mkdirSync(project)
  fs.writeFileSync(path.join(project, "kept"), "kept\n")
  fs.writeFileSync(path.join(folder, "secret"), "secret\n")
  fs.symlinkSync(path.join(folder, "secret"), path.join(project, "secret"))
  await json(["workspace", "create", "--name", "fix", "--mem-mib", "256", "--disk-mib", "512", "--seed-path", project])
})
afterAll(close)

/** Whether anything in the workspace runs that has these words in its command line. */
const runs = async (words: string) => (await sh("fix", `pgrep -fc '[${words[0]}]${words.slice(1)}' || true`)) !== "0"

const served = { args: ["--project-path", project], cwd: folder, env }
const exec = async (client: StockClient, args: object) =>
  succeeded<Exec>(await client.call("workspace_exec", { workspace_id: "fix", ...args }))

describe.each(Object.entries(stockClients))("a client of %s", (version, connect) => {
  /** Waits for longer than ten seconds, beside the other tests. */
  const wait = async () => {
    const client = await connect(served)
    const heard: Array<number> = []
    const ended = client.call("workspace_exec", { workspace_id: "fix", command: "sleep 11" }, {
      timeout: 60_000,
      onprogress: ({ progress }) => heard.push(progress)
    })
    ended.catch(() => undefined)
    return { client, ended, heard }
  }
  let waiting: ReturnType<typeof wait>
  beforeAll(() => void (waiting = wait()))

  it("a client continues a command that outlasts the wait", async () => {
    const client = await connect(served)
    const first = await exec(client, { command: "echo one; sleep 3; echo two; exit 4", wait_seconds: 1 })
    assert.deepInclude(first, { state: "running", exit_code: null, stdout: "one\n" })
    const last = await exec(client, { exec_id: first.exec_id, cursor: first.next_cursor })
    assert.deepInclude(last, { state: "exited", exit_code: 4, stdout: "two\n", next_cursor: null })
    await client.close()
  })

  it("a model cannot let a workspace expire sooner", async () => {
    const client = await connect(served)
    const soon = (seconds: number) => client.call("workspace_update", { workspace_id: "fix", ttl_seconds: seconds })
    assert.match(failed(await soon(1)), /^invalid_request: ttl_seconds: the workspace would expire sooner than now/)
    const kept = await client.call("workspace_update", { workspace_id: "fix", ttl_seconds: 0 })
    assert.isNotTrue(kept.isError)
    await client.close()
  })

  it("a cancelled call ends its command and the command's children in the guest", async () => {
    const client = await connect(served)
    const words = `sleep 60${version.slice(0, 4)}`
    const giveUp = new AbortController()
    const call = client.call(
      "workspace_exec",
      { workspace_id: "fix", command: `${words} & (setsid ${words} &); wait` },
      { signal: giveUp.signal }
    )
    await until("it runs", () => runs(words))
    giveUp.abort("enough")
    await call.then(() => assert.fail("it was answered"), () => undefined)
    await until("it is gone", async () => !(await runs(words)))
    // The server goes on.
    assert.strictEqual((await exec(client, { command: "cat", stdin: "here\n" })).stdout, "here\n")
    await client.close()
  })

  it("the end of a client ends the command of a waiting call and no returned command", async () => {
    const client = await connect(served)
    const [detached, waitedFor] = [`sleep 40${version.slice(0, 4)}`, `sleep 50${version.slice(0, 4)}`]
    const { exec_id } = await exec(client, { command: detached, wait_seconds: 0.5 })
    // It ignores what it is asked to end by first: that it is killed later does not depend on the server.
    const call = client.call("workspace_exec", { workspace_id: "fix", command: `trap '' INT TERM; ${waitedFor}` })
    call.catch(() => undefined)
    await until("it runs", () => runs(waitedFor))
    await client.close()
    await until("it is gone", async () => !(await runs(waitedFor)))
    const other = await connect(served)
    const still = await exec(other, { exec_id, wait_seconds: 0 })
    assert.strictEqual(still.state, "running")
    await other.close()
    await json(["workspace", "cancel", "fix", exec_id])
    assert.isFalse(await runs(detached))
  })

  it("a client sees that the timeout ended a command", async () => {
    const client = await connect(served)
    const killed = await exec(client, { command: "sleep 60", timeout_seconds: 0.5 })
    assert.deepInclude(killed, { state: "exited", outcome: "timed_out", exit_code: 124 })
    await client.close()
  })

  it("a waiting client receives progress", async () => {
    const { client, ended, heard } = await waiting
    await ended
    assert.deepStrictEqual(heard, [10])
    await client.close()
  })
})

describe("a server that its host kills with SIGKILL", () => {
  it("killing the server with SIGKILL ends the command of a waiting call, and none that was returned or whose client timed out", async () => {
    const client = rawClient([process.execPath, pyroPath, "mcp", "serve", ...served.args], { env, cwd: folder })
    await client.initialize()
    const called = { workspace_id: "fix", wait_seconds: 0.5 }
    const { structuredContent } = await client.call("workspace_exec", { ...called, command: "sleep 4099" })
    const detached = String(structuredContent?.["exec_id"])
    const swept = "trap 'echo swept > /tmp/swept; exit 3' INT; while :; do sleep 0.1; done; : 5099"
    client.send("tools/call", { name: "workspace_exec", arguments: { workspace_id: "fix", command: swept } })
    await until("it runs", () => runs("5099"))
    const late = client.send("tools/call", {
      name: "workspace_exec",
      arguments: { workspace_id: "fix", command: "sleep 6099", wait_seconds: 600 }
    })
    await until("the other one runs", () => runs("sleep 6099"))
    client.notify("notifications/cancelled", { requestId: late.id, reason: "MCP error -32001: Request timed out" })
    // The server has detached the command when it answers what came later.
    const { running } = (await client.call("workspace_status", { workspace_id: "fix" })).structuredContent as {
      readonly running: ReadonlyArray<{ readonly exec_id: string; readonly command: string }>
    }
    const timedOut = running.find(({ command }) => command.includes("6099"))?.exec_id ?? ""
    client.child.kill("SIGKILL")
    await until("it is gone", async () => !(await runs("5099")), 10_000)
    assert.strictEqual(await sh("fix", "cat /tmp/swept"), "swept")
    assert.isTrue(await runs("sleep 4099"))
    assert.isTrue(await runs("sleep 6099"))
    for (const id of [detached, timedOut]) await json(["workspace", "cancel", "fix", id])
  })
})

describe("the border to the host", () => {
  it("no link of the project leads a tool out of the project", async () => {
    const client = await stockClients["2026-07-28"]!(served)
    const outside = /^invalid_request: \w+: .* outside of the project/
    assert.match(failed(await client.call("workspace_create", { seed_path: "secret" })), outside)
    const push = { workspace_id: "fix", source_path: ".." }
    assert.match(failed(await client.call("workspace_sync_push", push)), outside)
    // The link itself is only a name to the guest.
    assert.include((await exec(client, { command: "cat kept secret" })).stdout, "kept\n")
    assert.notInclude((await exec(client, { command: "cat kept secret" })).stdout, "secret\n")
    await client.close()
  })

  it("exports stay beneath the project and outside of files that git or editors execute", async () => {
    const client = await stockClients["2026-07-28"]!(served)
    const write = (output_path: string) =>
      client.call("workspace_export", { workspace_id: "fix", path: "made", output_path })
    await exec(client, { command: "echo made > made; ln -s /etc/passwd link" })
    succeeded(await write("made"))
    assert.strictEqual(fs.readFileSync(path.join(project, "made"), "utf8"), "made\n")
    assert.match(failed(await write("made")), /^export_refused: /)
    fs.mkdirSync(path.join(project, ".git/hooks"), { recursive: true })
    assert.match(failed(await write(".git/hooks/pre-commit")), /^export_refused: /)
    assert.match(failed(await write(".envrc")), /^export_refused: /)
    assert.match(failed(await write("../made")), /^invalid_request: output_path: /)
    assert.match(failed(await write("secret")), /^(export_refused|invalid_request): /)
    assert.strictEqual(fs.readFileSync(path.join(folder, "secret"), "utf8"), "secret\n")
    await client.close()
  })

  it("a server hides other projects' workspaces from every tool, by name, by id and as resources", async () => {
    const { id } = await json<{ readonly id: string }>(["workspace", "status", "fix"])
    const elsewhere = path.join(folder, "elsewhere")
    fs.mkdirSync(elsewhere)
    const args = ["--project-path", elsewhere, "--profile", "workspace-full"]
    const client = await stockClients["2026-07-28"]!({ args, cwd: folder, env })
    assert.deepStrictEqual(succeeded(await client.call("workspace_list", {}))["workspaces"], [])
    const given: Readonly<Record<string, unknown>> = {
      command: "true",
      candidates: [{ command: "true" }],
      exec_id: "0".repeat(32),
      shell_id: "0".repeat(32),
      port: "80",
      guest_port: 80,
      path: "kept",
      text: "",
      old_text: "kept",
      new_text: "x",
      patch: "--- a/kept\n+++ b/kept\n@@ -1 +1 @@\n-kept\n+x\n",
      output_path: "kept",
      name: "other",
      candidate: "one"
    }
    for (const named of ["fix", id]) {
      const ids = { workspace_id: named, workspace_ids: [named], from: named, to: `${named}@first` }
      for (const { inputSchema: { properties = {}, required = [] }, name } of client.tools) {
        if (!Object.keys(properties).some((one) => one in ids)) continue
        const optional = name === "workspace_export" ? ["path"] : ["text", "patch", "command"]
        const arguments_ = [...required, ...optional.filter((one) => one in properties)]
        const call = Object.fromEntries(arguments_.map((one) => [one, { ...given, ...ids }[one]]))
        assert.match(failed(await client.call(name, call)), /^workspace_not_found: /, `${name} ${JSON.stringify(call)}`)
      }
      await client.read(`pyro://workspaces/${named}/files/kept`).then(
        () => assert.fail("it was read"),
        (error: Error) => assert.include(error.message, "workspace_not_found")
      )
    }
    assert.strictEqual(fs.readdirSync(elsewhere).length, 0)
    await client.close()
    assert.strictEqual(await sh("fix", "cat kept"), "kept")
  })

  it("vm_run reads the project and never writes to it", async () => {
    const client = await stockClients["2026-07-28"]!({ ...served, args: [...served.args, "--profile", "vm-run"] })
    assert.deepStrictEqual(client.tools.map(({ name }) => name), ["vm_run"])
    const told = succeeded(
      await client.call("vm_run", { command: "cat kept; echo changed > kept; exit 7", seed_path: ".", memory_mib: 256 })
    )
    assert.deepInclude(told, { outcome: "exited", exit_code: 7, stdout: "kept\n" })
    assert.strictEqual(fs.readFileSync(path.join(project, "kept"), "utf8"), "kept\n")
    assert.match(
      failed(await client.call("vm_run", { command: "ls", seed_path: "/etc" })),
      /^invalid_request: seed_path: /
    )
    await client.close()
  })
})
