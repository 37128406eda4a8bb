import * as fs from "node:fs"
import { get } from "node:http"
import { connect } from "node:net"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"
import { counter } from "../support/workspace/counter.ts"

const TOKEN = "correct horse battery"
const pyro = installation("pyro-pause-")
const { call, create, daemon, env, failure, json, sh, state, status } = pyro
afterAll(pyro.close)

/** Waits for a file, and then prints a secret. */
const WAITER = `trap 'echo "$TOKEN goes on"' EXIT; while [ ! -e /tmp/go ]; do sleep 0.1; done`

const paused = async (name: string) => {
  await json(["pause", name])
  assert.strictEqual((await status(name)).state, "paused")
  assert.deepStrictEqual((await daemon()).vms.filter(({ purpose }) => purpose === "workspace"), [])
}
const stateOf = async (name: string) => (await status(name)).state

const fetched = (port: number) =>
  new Promise<string>((resolve, reject) => {
    get({ host: "127.0.0.1", port, agent: false }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (piece: string) => text += piece).on("end", () => resolve(text))
    }).on("error", reject)
  })

const identityOfBoot = "cat /etc/machine-id /proc/sys/kernel/random/boot_id /run/pyro/generation; hostname"
const outputOf = async (name: string, id: string) =>
  (await json<{ readonly output: string }>(["logs", name, id])).output

describe("a paused workspace", { concurrent: false }, () => {
  let id = ""
  let command = ""
  let shell = ""
  let port = 0
  let boot = ""

  beforeAll(async () => {
    id = (await create(["--name", "w", "--secret-env", "TOKEN"], { env: { TOKEN } })).id
    const { ports } = await json<{ readonly ports: ReadonlyArray<{ readonly host_port: number }> }>(
      ["service", "start", "w", "web", "--ready-tcp", "8000", "--publish", "8000", "--", "python3", "-c", counter]
    )
    port = ports[0]!.host_port
    command = (await json<{ readonly exec_id: string }>(
      ["exec", "w", "--detach", "--secret-env", "TOKEN", "--", "sh", "-c", WAITER]
    )).exec_id
    shell = (await json<{ readonly shell_id: string }>(["shell", "open", "w"])).shell_id
    await json(["shell", "write", "w", shell, "--input", "kept=42", "--key", "enter"])
    boot = await sh("w", identityOfBoot)
  })

  it("the caller of a command gets an error, and the command goes on after the next use", async () => {
    const held = startPyro([
      "exec",
      "w",
      "--json",
      "--",
      "sh",
      "-c",
      "echo begun >/tmp/begun; cat /tmp/none; exec tail -f /dev/null"
    ], { env })
    await until("the command", async () => (await call(["exec", "w", "--", "test", "-e", "/tmp/begun"])).code === 0)
    await paused("w")
    const { paused_bytes = 0, services } = await json<{
      readonly paused_bytes?: number
      readonly services: Readonly<Record<string, number>>
    }>(["status", "w"])
    assert.deepStrictEqual(services, { paused: 1 })
    assert.isAbove(paused_bytes, 1_000_000)
    assert.strictEqual((await json<{ readonly state: string }>(["service", "status", "w", "web"])).state, "paused")
    assert.strictEqual(await stateOf("w"), "paused", "a look at a service is no use")
    const { code, stdout } = await held.finished
    assert.notStrictEqual(code, 0)
    const { error } = JSON.parse(stdout.toString()) as {
      readonly error: { readonly code: string; readonly state: string; readonly exec_id: string }
    }
    assert.deepInclude(error, { code: "workspace_not_ready", state: "paused" })
    assert.strictEqual(await sh("w", "pgrep -cf '[t]ail -f /dev/null'"), "1")
    await sh("w", "pkill -f '[t]ail -f /dev/null'")
    // The error has the command's id, by which its end is found.
    const again = await call(["exec", "w", "--json", "--exec-id", error.exec_id])
    const ended = JSON.parse(again.stdout.toString()) as { readonly outcome: string; readonly stderr: string }
    assert.strictEqual(ended.outcome, "signaled")
    assert.include(ended.stderr, "/tmp/none")
  })

  it("a client of a published port resumes the server's memory", async () => {
    assert.strictEqual(await fetched(port), "1")
    await paused("w")
    assert.strictEqual(await fetched(port), "2")
    assert.strictEqual(await stateOf("w"), "running")
    assert.strictEqual((await json<{ readonly state: string }>(["service", "status", "w", "web"])).state, "ready")
  })

  it("an open connection to a published port is reset", async () => {
    const hold =
      `import socket; one = socket.create_server(("127.0.0.1", 9)); peer = one.accept()[0]; peer.send(b"hi"); peer.recv(9)`
    await json(["exec", "w", "--detach", "--", "python3", "-c", hold])
    await until(
      "the server",
      async () => (await call(["exec", "w", "--", "grep", "-q", "0100007F:0009", "/proc/net/tcp"])).code === 0
    )
    const { host_port } = await json<{ readonly host_port: number }>(["port", "publish", "w", "9"])
    const client = connect(host_port, "127.0.0.1")
    const received: Array<Buffer> = []
    let end = ""
    client.on("data", (piece) => received.push(piece)).on("end", () => end = "end")
      .on("error", ({ code = "" }: NodeJS.ErrnoException) => end = code)
    await until("the greeting", () => Buffer.concat(received).toString() === "hi")
    await paused("w")
    await until("the end of the connection", () => end !== "")
    assert.strictEqual(end, "ECONNRESET")
    await json(["port", "unpublish", "w", "9"])
    assert.strictEqual(await stateOf("w"), "paused")
  })

  it("a pause survives the daemon, and processes, shell, secret and identity are as before", async () => {
    await paused("w")
    await json(["daemon", "stop"])
    assert.strictEqual(await stateOf("w"), "paused")
    assert.strictEqual(await fetched(port), "3")
    assert.strictEqual(await sh("w", identityOfBoot), boot)
    const wait = ["--plain", "--wait-for", "value is 42"]
    await json(["shell", "write", "w", shell, "--input", "echo value is $kept", "--key", "enter"])
    const { waited } = await json<{ readonly waited: string }>(["shell", "read", "w", shell, ...wait])
    assert.strictEqual(waited, "found")
    await sh("w", "touch /tmp/go")
    await until("the command's end", async () => (await outputOf("w", command)) !== "")
    assert.strictEqual(await outputOf("w", command), "[secret:TOKEN] goes on\n")
  })

  it("looking at a paused workspace does not resume it", async () => {
    await paused("w")
    for (
      const args of [["status", "w"], ["list"], ["logs", "w"], ["timeline", "w"], ["service", "list", "w"], [
        "shell",
        "list",
        "w"
      ]]
    ) {
      await json(args)
      assert.strictEqual(await stateOf("w"), "paused", args.join(" "))
    }
    await json(["update", "w", "--label", "looked=at"])
    assert.strictEqual(await stateOf("w"), "paused")
    assert.isFalse((await json<{ readonly changed: boolean }>(["pause", "w"])).changed)
  })

  it("another host refuses the memory with the differences, and starts the disk without it", async () => {
    assert.strictEqual(await stateOf("w"), "paused")
    const file = path.join(state, "workspaces", id, "record.json")
    await json(["daemon", "stop"])
    const record = fs.readFileSync(file, "utf8")
    assert.match(record, /"qemu":"[^"]*"/)
    fs.writeFileSync(file, record.replace(/"qemu":"[^"]*"/, "\"qemu\":\"6.6.6 (elsewhere)\""))
    for (const args of [["resume", "w"], ["start", "w"], ["exec", "w", "--", "true"], ["diff", "w"]]) {
      const refused = await failure(args)
      assert.strictEqual(refused.code, "snapshot_mismatch", args.join(" "))
      assert.match(refused.message, /6\.6\.6 \(elsewhere\)/)
      assert.strictEqual(await stateOf("w"), "paused")
    }
    await json(["start", "w", "--discard-memory"])
    // Already now: the next pause writes there.
    assert.isFalse(fs.existsSync(path.join(state, "workspaces", id, "paused")))
    assert.strictEqual(await sh("w", "pgrep -c python3 || true"), "0")
    const outcomes =
      (await json<{ readonly commands: ReadonlyArray<{ readonly exec_id: string; readonly outcome: string }> }>([
        "logs",
        "w"
      ])).commands
    assert.notInclude(outcomes.map(({ outcome }) => outcome), "running")
  })

  it("files of the pause are on the disk without the memory", async () => {
    await sh("w", "echo written > /workspace/file")
    await paused("w")
    await json(["start", "w", "--discard-memory"])
    assert.strictEqual(await sh("w", "cat /workspace/file"), "written")
  })

  it("a paused workspace is forked, stopped and deleted", async () => {
    await sh("w", "echo here > /run/memory")
    await paused("w")
    await json(["fork", "w", "--name", "copy"])
    assert.strictEqual(await sh("copy", "cat /run/memory"), "here")
    await call(["delete", "copy"])
    await json(["pause", "w"])
    await json(["stop", "w"])
    assert.strictEqual(await stateOf("w"), "stopped")
    assert.strictEqual((await failure(["resume", "w"])).code, "workspace_not_ready")
    await json(["start", "w"])
    assert.strictEqual(await sh("w", "cat /run/memory 2>/dev/null || echo gone"), "gone")
    await paused("w")
    await json(["delete", "w"])
    assert.isFalse(fs.existsSync(path.join(state, "workspaces", id)))
  })
})
