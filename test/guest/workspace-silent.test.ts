import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, vmmOf } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"

// Nearly all of the time is waiting: the suites run at once, each with a pyro of its own.
const pyro = installation("pyro-silent-", { env: { PYRO_POOL_MEMBERS: "0" } })
const { create, env, failure, folder, json, sh, status, step } = pyro
afterAll(pyro.close)

const agentless = installation("pyro-silent-agent-", { env: { PYRO_POOL_MEMBERS: "0" } })
afterAll(agentless.close)

const pooled = installation("pyro-silent-pool-", { env: { PYRO_POOL_MEMBERS: "1" } })
afterAll(pooled.close)

const patch = path.join(folder, "patch")
const source = path.join(folder, "source")

/** The process that the guest runs in: under bubblewrap the only child of the one that is recorded. */
const qemuProcess = async (workspace: string, where: Parameters<typeof vmmOf>[0] = pyro) => {
  const pid = await vmmOf(where, workspace)
  const [child] = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)]).toString().split("\n")
  return Number(child) || pid
}

/** Asks a guest that does not answer: its error has the code, and says what to call next. */
const isSilent = async (args: ReadonlyArray<string>) => {
  const { code, message } = await failure(["workspace", ...args])
  assert.strictEqual(code, "guest_silent", `${args.join(" ")}: ${message}`)
  assert.include(message, "pyro reset", args.join(" "))
}

beforeAll(async () => {
  fs.mkdirSync(source)
  fs.writeFileSync(path.join(source, "file"), "one\n")
  fs.writeFileSync(patch, "--- a/file\n+++ b/file\n@@ -1 +1 @@\n-one\n+two\n")
  await create(["--name", "other"])
})

describe.concurrent("a workspace whose QEMU is stopped", () => {
  it("a stopped QEMU fails every request to the guest and no command, and snapshots work afterwards", {
    concurrent: false
  }, async () => {
    const { id } = await create(["--name", "still", "--seed-path", source])
    const running = startPyro(["workspace", "exec", "still", "--", "sh", "-c", "echo up; sleep 1000"], { env })
    await until("the command's output", () => running.stdoutSoFar().includes("up"))
    const qemu = await qemuProcess(id)
    process.kill(qemu, "SIGSTOP")
    try {
      const verbs = [
        ["file", "read", "still", "file"],
        ["file", "list", "still"],
        ["file", "write", "still", "new", "--text", "x"],
        ["file", "edit", "still", "file", "--old-text", "one", "--new-text", "two"],
        ["diff", "still"],
        ["export", "still", "file", "--output", path.join(folder, "out")],
        ["export", "still", "--patch", "--output", path.join(folder, "out.patch")],
        ["patch", "apply", "still", "--patch-file", patch],
        ["sync", "push", "still", source],
        ["compare", "still", "other"],
        ["exec", "still", "--", "true"],
        ["snapshot", "create", "still", "cut"],
        ["fork", "still", "--name", "child"]
      ]
      // The first waits the whole time, those behind it know.
      await isSilent(["file", "list", "still", "."])
      await Promise.all(verbs.map(isSilent))
      const { detail, state } = await status("still")
      assert.deepStrictEqual([state, /does not answer/.test(detail ?? "")], ["running", true])
      // Whoever waits for a command is told, and waits on.
      await until("the notice", () => running.stderrSoFar().includes("does not answer"), 60_000)
      assert.isNull(running.child.exitCode)
    } finally {
      process.kill(qemu, "SIGCONT")
    }
    await until("the second notice", () => running.stderrSoFar().includes("goes on"), 60_000)
    await json(["workspace", "snapshot", "create", "still", "whole"])
    assert.strictEqual(await sh("still", "cat file"), "one")
    assert.isUndefined((await status("still")).detail)
    running.child.kill("SIGINT")
    await running.finished
  })

  it(
    "a workspace with a stopped QEMU can be stopped and started, reset, and deleted",
    { concurrent: false },
    async () => {
      const { id } = await status("still")
      await sh("still", "echo kept > kept; sync")
      process.kill(await qemuProcess(id), "SIGSTOP")
      await step("stop", "still")
      await step("start", "still")
      assert.strictEqual(await sh("still", "cat kept"), "kept")
      process.kill(await qemuProcess(id), "SIGSTOP")
      await step("reset", "still")
      assert.strictEqual(await sh("still", "ls"), "file")
      process.kill(await qemuProcess(id), "SIGSTOP")
      await json(["workspace", "delete", "still"])
    }
  )
})

describe.concurrent("a workspace whose microVM waited in the pool", () => {
  /** Creates workspaces until one gets a member of the pool. */
  const createFromPool = async (): Promise<string> => {
    const members = (await pooled.daemon()).vms.filter(({ purpose }) => purpose === "pool").map((vm) => vm.id)
    const { id } = await pooled.create([])
    const vm = (await pooled.daemon()).vms.find(({ workspace }) => workspace === id)
    return members.includes(vm?.id ?? "none") ? id : createFromPool()
  }

  it("a read of a workspace from the pool fails when its QEMU is stopped", { concurrent: false }, async () => {
    await pooled.create([])
    const id = await createFromPool()
    process.kill(await qemuProcess(id, pooled), "SIGSTOP")
    const { code } = await pooled.failure(["workspace", "file", "list", id])
    assert.strictEqual(code, "guest_silent")
  })
})

describe.concurrent("a guest whose root stops the agent", () => {
  const { call, create, daemonPid, json, list, sh, state, step } = agentless
  const ways = {
    debugger: "exec perl -e 'syscall(101, 16, 1, 0, 0); sleep 100000'",
    freezer: "cd /sys/fs/cgroup; mkdir own; echo 1 > own/cgroup.procs; echo 1 > own/cgroup.freeze",
    unbinding: "for one in /sys/bus/virtio/drivers/*/virtio*; do echo ${one##*/} > ${one%/*}/unbind & done; wait"
  }

  it("stop waits 5 seconds for a silent guest, and reset and delete do not ask it", { concurrent: false }, async () => {
    // The text reaches the disk once the agent is frozen. The script itself, which is recorded elsewhere, does not contain the text.
    const script = `${ways.freezer}; echo "is fro""zen" > /workspace/text; sync; sleep 100000`
    const frozen = async (name: string) => {
      const { id } = await create(["--name", name])
      await call(["workspace", "exec", name, "--detach", "--", "sh", "-c", script])
      const directory = path.join(state, "workspaces", id)
      const isOnDisk = () => {
        const disks = fs.readdirSync(directory).filter((entry) => entry.startsWith("disk-"))
        return spawnSync("grep", ["-rqaF", "is frozen", ...disks], { cwd: directory }).status === 0
      }
      await until("the frozen guest's write", isOnDisk, 60_000)
      return id
    }
    const id = await frozen("stopped")
    await step("stop", "stopped")
    const log = (await call(["daemon", "logs"])).stdout.toString()
    assert.match(log, new RegExp(`${id} is stopped with .* sent nothing for 5 s`))
    await frozen("again")
    await step("reset", "again")
    assert.strictEqual(await sh("again", "echo back"), "back")
    await frozen("gone")
    await json(["workspace", "delete", "gone"])
  })

  it("a guest that stops its agent is reported as silent, and reset repairs it", { concurrent: false }, async () => {
    await Promise.all(
      Object.entries(ways).map(async ([name, script]) => {
        await create(["--name", name])
        await call(["workspace", "exec", name, "--detach", "--", "sh", "-c", script])
        // The first to come may still be served.
        for (;;) {
          const { code, stdout } = await call(["workspace", "file", "list", name, "--json"])
          if (code === 0) continue
          assert.strictEqual(JSON.parse(stdout.toString()).error.code, "guest_silent", name)
          break
        }
        if (name === "freezer") return
        await step("reset", name)
        assert.strictEqual(await sh(name, "echo back"), "back")
      })
    )
  })

  it(
    "a silent guest blocks no other workspace of the next daemon and can be reset at once",
    { concurrent: false },
    async () => {
      process.kill(await daemonPid(), "SIGKILL")
      const states = new Map((await list()).map(({ name, state }) => [name, state]))
      assert.deepStrictEqual([states.get("freezer"), states.get("debugger")], ["starting", "running"])
      await step("reset", "freezer")
      assert.strictEqual(await sh("freezer", "echo back"), "back")
    }
  )
})

/** Longer than two rounds of the pings that an RPC client would make. */
const STALLED_MS = 22_000

describe.concurrent("a daemon that stands still for a while", () => {
  const stalled = installation("pyro-stalled-")
  afterAll(stalled.close)

  it("a stalled daemon loses no command and no request", async () => {
    await stalled.create(["--name", "w"])
    const running = stalled.call([
      "workspace",
      "exec",
      "w",
      "--script",
      "for i in $(seq 30); do echo $i; sleep 1; done; exit 7"
    ])
    await lapsed(2_000)
    const daemon = await stalled.daemonPid()
    process.kill(daemon, "SIGSTOP")
    const asked = stalled.call(["workspace", "file", "write", "w", "note", "--text", "there"])
    await lapsed(STALLED_MS)
    process.kill(daemon, "SIGCONT")
    const written = await asked
    assert.strictEqual(written.code, 0, written.stderr)
    assert.strictEqual(await stalled.sh("w", "cat note"), "there")
    const { code, stderr, stdout } = await running
    assert.deepStrictEqual([code, stderr], [7, ""])
    assert.strictEqual(stdout.toString(), Array.from({ length: 30 }, (_, index) => `${index + 1}\n`).join(""))
  })
})
