import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect } from "../../src/sdk/connect.ts"
import { rawClient } from "../mcp/raw-client.ts"
import { installation, smallSizes } from "../support/installation.ts"
import { pyroPath, startPyro, temporaryFolder } from "../support/pyro-cli.ts"
import { processesWith } from "../support/ssh/processes-with.ts"
import { startSshd } from "../support/ssh/sshd.ts"
import { untilTrue } from "../support/until.ts"

describe("a machine that ssh reaches", () => {
  const here = installation("pyro-context-here-")
  const there = installation("pyro-context-there-")
  const { folder, remove } = temporaryFolder("pyro-context-ssh-")
  let sshd: Awaited<ReturnType<typeof startSshd>>
  let env: Readonly<Record<string, string>>
  const server = ["env", ...Object.entries(there.env).map(([name, value]) => `${name}=${value}`)]
  const command = [...server, process.execPath, pyroPath].join(" ")
  const onBench = (args: ReadonlyArray<string>, more: object = {}) =>
    here.call(["--context", "bench", ...args], { env, ...more })
  const sh = async (script: string) => {
    const { code, stderr, stdout } = await onBench(["exec", "fix", "--", "sh", "-ec", script])
    assert.strictEqual(code, 0, stderr)
    return stdout.toString().trim()
  }
  beforeAll(async () => {
    sshd = await startSshd(folder)
    env = { PATH: `${sshd.bin}:${process.env["PATH"]}` }
    await here.json(["context", "add", "bench", "ssh://bench", "--command", command], { env })
    const { code, stderr } = await onBench(["create", "--name", "fix", ...smallSizes])
    assert.strictEqual(code, 0, stderr)
  })
  afterAll(async () => {
    await there.close()
    // Its connections end with their ControlPersist otherwise.
    for (const pid of processesWith(folder, "ControlPath")) process.kill(pid)
    await sshd.stop()
    await here.close()
    remove()
  })

  it("has the workspaces of commands with its context, and this machine has none", async () => {
    const names = async (args: ReadonlyArray<string>, more: Readonly<Record<string, string>> = {}) => {
      type Listed = { readonly workspaces: ReadonlyArray<{ readonly name: string }> }
      const { workspaces } = await here.json<Listed>(args, { env: { ...env, ...more } })
      return workspaces.map(({ name }) => name)
    }
    assert.deepStrictEqual(await names(["list", "--context", "bench"]), ["fix"])
    assert.deepStrictEqual(await names(["list"], { PYRO_CONTEXT: "bench" }), ["fix"])
    assert.deepStrictEqual(await names(["list"]), [])
    await here.json(["context", "use", "bench"])
    assert.deepStrictEqual(await names(["list"]), ["fix"])
    assert.deepStrictEqual(await names(["list", "--context=local"]), [])
    const { code, stdout } = await here.call(["exec", "fix", "uname"], { env })
    assert.deepStrictEqual([code, stdout.toString()], [0, "Linux\n"])
    await here.json(["context", "use", "local"])
    assert.deepStrictEqual((await there.list()).map(({ name }) => name), ["fix"])
  })

  it("takes stdin, and gives the status and both outputs of a command", async () => {
    const { code, stderr, stdout } = await onBench(
      ["exec", "-i", "fix", "--", "sh", "-c", "cat; echo to stderr >&2; exit 3"],
      { input: "to stdin" }
    )
    assert.deepStrictEqual([code, stdout.toString(), stderr], [3, "to stdin", "to stderr\n"])
  })

  it("never gets a path of this machine", async () => {
    const { code, field, message } = await here.failure(
      ["--context", "bench", "env", "pull", `oci-archive:${folder}/app.tar`],
      { env }
    ) as { readonly code: string; readonly field: string; readonly message: string }
    assert.deepStrictEqual([code, field], ["invalid_request", "<environment>"])
    assert.include(message, "context bench")
    assert.deepStrictEqual((await there.list()).length, 1)
  })

  it("goes on with a command whose ssh and whose server are killed, and runs it once", async () => {
    const script = "echo ran >> /ran; for i in $(seq 60); do echo $i; sleep 0.1; done"
    const { finished, stdoutSoFar } = startPyro(["--context", "bench", "exec", "fix", "--", "sh", "-c", script], {
      env: { ...here.env, ...env }
    })
    const lines = () => stdoutSoFar().toString().split("\n").length - 1
    const killed: Array<number> = []
    for (
      const [after, words] of [[3, ["pyro-relay", there.state]], [15, [
        folder,
        "serve --stdio"
      ]]] as const
    ) {
      await untilTrue(() => lines() >= after)
      for (const pid of processesWith(...words)) {
        process.kill(pid, "SIGKILL")
        killed.push(pid)
      }
    }
    const { code, stderr, stdout } = await finished
    assert.deepStrictEqual([code, stderr], [0, ""])
    assert.strictEqual(stdout.toString(), Array.from({ length: 60 }, (_, at) => `${at + 1}\n`).join(""))
    assert.isAtLeast(killed.length, 2)
    assert.strictEqual(await sh("cat /ran"), "ran")
  })

  it("serves on a Node that cannot become another program", async () => {
    const without = path.join(folder, "without.cjs")
    fs.writeFileSync(without, "delete process.execve\n")
    const older = command.replace(/^env /, `env NODE_OPTIONS=--require=${without} `)
    await here.json(["context", "add", "older", "ssh://bench", "--command", older])
    const { code, stderr, stdout } = await here.call(["--context", "older", "exec", "fix", "--", "uname"], { env })
    assert.deepStrictEqual([code, stdout.toString()], [0, "Linux\n"], stderr)
  })

  it("ends a command at Ctrl-C", async () => {
    const { child, finished, stdoutSoFar } = startPyro(
      [
        "--context",
        "bench",
        "exec",
        "fix",
        "--",
        "sh",
        "-c",
        "trap 'echo ended; exit 7' INT; echo begun; sleep 1000 & wait"
      ],
      { env: { ...here.env, ...env } }
    )
    await untilTrue(() => stdoutSoFar().includes("begun"))
    child.kill("SIGINT")
    const { code, stdout } = await finished
    assert.deepStrictEqual([code, stdout.toString()], [7, "begun\nended\n"])
  })

  it("serves an agent host and a program", async () => {
    const client = rawClient([process.execPath, pyroPath, "mcp", "serve", "--context", "bench", "--all-workspaces"], {
      env: { ...here.env, ...env }
    })
    await client.initialize()
    const { result } = await client.request("tools/call", { name: "workspace_list", arguments: {} })
    assert.include(JSON.stringify(result), "fix")
    client.close()
    const before = process.env["PATH"]
    process.env["PATH"] = env["PATH"]
    process.env["PYRO_STATE_DIR"] = here.state
    try {
      await using pyro = connect({ context: "bench" })
      const fix = await pyro.get("fix")
      assert.isNotNull(fix)
      const { stdout } = await fix!.exec(["cat", "/proc/sys/kernel/hostname"])
      assert.strictEqual(stdout, "fix\n")
    } finally {
      process.env["PATH"] = before
      delete process.env["PYRO_STATE_DIR"]
    }
  })

  it("says what is wrong with the way there", async () => {
    const bad = async (name: string, url: string, how: string) => {
      await here.json(["context", "add", name, url, "--command", how, "--replace"])
      const { code, message } = await here.failure(["--context", name, "list"], { env })
      assert.strictEqual(code, "context_unreachable")
      return message
    }
    assert.match(await bad("absent", "ssh://bench", "/nowhere/pyro"), /its shell finds no program `\/nowhere\/pyro`/)
    assert.match(
      await bad("other", "ssh://bench", "echo hello; true"),
      /does not answer as pyro does|ended with status 0: ?|ended with status 0/
    )
    assert.match(await bad("closed", "ssh://127.0.0.1:1", "pyro"), /ssh cannot connect: .*Connection refused/)
    assert.match(await bad("nameless", "ssh://no-such-host.invalid", "pyro"), /ssh cannot connect: /)
    const { code } = await here.failure(["--context", "unheard", "list"], { env })
    assert.strictEqual(code, "context_unknown")
    const doctor = await here.call(["doctor", "--context", "closed"], { env })
    assert.strictEqual(doctor.code, 1)
    assert.match(doctor.stdout.toString(), /^WRONG way to closed: .*Connection refused[^]*ssh -p 1 127\.0\.0\.1/)
    const well = await here.call(["doctor", "--context", "bench"], { env })
    assert.match(well.stdout.toString(), /^ok {4}way to bench: ssh:\/\/bench, pyro [0-9.]+ [^]*\nok {4}cpu: /)
  })
})
