import { execFileSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { toldError } from "../support/daemon/told-error.ts"
import { unmount } from "../support/files/mounts.ts"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"

const mountPoint = fs.mkdtempSync("/var/tmp/pyro-space-")
const state = path.join(mountPoint, "state")
const pyro = installation("pyro-faults-space-", { env: { PYRO_STATE_DIR: state } })
const { call, create, daemonPid, failure, json, list, logs, sh, status, step } = pyro

/** How much at a time a tmpfs takes, and what of it is left unused where the next line is to need another, in bytes. */
const PAGE = 4_096
const SLACK = 8

/** Takes all the room of the state directory's file system, and gives it back. */
const filler = path.join(mountPoint, "filler")
const fill = () => {
  try {
    execFileSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k"], { stdio: "ignore" })
  } catch { /* it ends when nothing is left */ }
  try {
    execFileSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k", "oflag=append", "conv=notrunc"], { stdio: "ignore" })
  } catch { /* to the last page */ }
  assert.isBelow(fs.statfsSync(mountPoint).bavail * fs.statfsSync(mountPoint).bsize, 65_536)
}
const free = () => fs.rmSync(filler)

describe("a disk that is full", { concurrent: false }, () => {
  beforeAll(() => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=800m,mode=0700", "tmpfs", mountPoint])
  })
  afterAll(async () => {
    await pyro.close()
    await unmount(mountPoint)
    fs.rmdirSync(mountPoint)
  })

  it("a full disk in the guest fails the command, and work goes on when there is space", async () => {
    await create(["--name", "guest", "--mem-mib", "256", "--disk-mib", "96"])
    const { code, stderr } = await call([
      "workspace",
      "exec",
      "guest",
      "--",
      "sh",
      "-c",
      "head -c 200000000 /dev/zero > /workspace/big"
    ])
    assert.notStrictEqual(code, 0)
    assert.match(stderr, /No space left on device/)
    const refused = await failure(["workspace", "file", "write", "guest", "note", "--text", "x".repeat(100_000)])
    assert.deepInclude(refused, { code: "file_refused", reason: "no_space" })
    assert.strictEqual((await status("guest")).state, "running")
    await sh("guest", "rm /workspace/big; sync; echo fine > /workspace/note; cat /workspace/note")
    await step("stop", "guest")
    await step("start", "guest")
    assert.strictEqual(await sh("guest", "cat /workspace/note"), "fine")
    await json(["workspace", "delete", "guest"])
  })

  it("a full host disk loses nothing, errors name the reason, and work goes on when there is space", async () => {
    await create(["--name", "host"])
    const digest = await sh("host", "head -c 5000000 /dev/urandom > /workspace/data; sync; sha256sum /workspace/data")
    fill()
    try {
      assert.strictEqual(
        (await failure(["workspace", "create", "--name", "more", "--mem-mib", "256", "--disk-mib", "512"])).code,
        "no_space"
      )
      assert.deepStrictEqual((await list()).map(({ name }) => name), ["host"])
      // Reading needs no room.
      assert.strictEqual((await call(["workspace", "file", "list", "host"])).code, 0)
      // The guest's write is what the host has no room for; it waits or fails, and nothing that was there is harmed.
      const stop = await call(["workspace", "stop", "host", "--json"])
      if (stop.code !== 0) assert.strictEqual(toldError(stop).code, "no_space")
    } finally {
      free()
    }
    const { state } = await status("host")
    if (state !== "running") await step("start", "host")
    assert.strictEqual(await sh("host", "sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum /workspace/data"), digest)
    await sh("host", "echo more > /workspace/more; sync")
  })

  it("a guest that writes more than the host has goes on when there is space", async () => {
    fill()
    const writing = call([
      "workspace",
      "exec",
      "host",
      "--json",
      "--",
      "sh",
      "-c",
      "head -c 30000000 /dev/urandom > /workspace/new && sync && sha256sum /workspace/new > /workspace/sum && echo written"
    ])
    try {
      const { code } = await Promise.race([
        writing,
        new Promise<{ readonly code: string }>((resolve) => setTimeout(() => resolve({ code: "waits" }), 8000))
      ])
      assert.notStrictEqual(code, 0)
      // Until its data is written out for want of room it does not stand still.
      await until("its standing still", async () => (await status("host")).detail !== undefined, 60_000)
      const { detail, state } = await status("host")
      assert.deepStrictEqual([state, detail], [
        "running",
        "the host's disk is full: the guest stands still and goes on when there is room"
      ])
      for (const verb of [["exec", "host", "--", "true"], ["stop", "host"]]) {
        const refused = await failure(["workspace", ...verb])
        assert.deepInclude(refused, { code: "workspace_not_ready", state: "standing still" }, verb[0])
      }
      assert.strictEqual((await status("host")).state, "running")
      assert.include((await call(["daemon", "logs"])).stdout.toString(), "the host's disk is full: the guest stands")
    } finally {
      free()
    }
    const { stdout } = await writing
    if ((await status("host")).state === "failed") await step("start", "host")
    if (stdout.toString().includes("written")) {
      await sh("host", "echo 3 > /proc/sys/vm/drop_caches; sha256sum -c /workspace/sum")
    }
    assert.strictEqual(await sh("host", "echo fine > /workspace/again; sync; cat /workspace/again"), "fine")
  })

  it("the next daemon takes over a guest that a full disk has paused", async () => {
    const memory = () => sh("host", "cat /dev/shm/kept")
    await sh("host", "echo kept > /dev/shm/kept")
    fill()
    try {
      await json(["daemon", "stop"])
    } finally {
      free()
    }
    assert.strictEqual(await memory(), "kept")

    fill()
    const writing = call([
      ...["workspace", "exec", "host", "--", "sh", "-c", "head -c 30000000 /dev/urandom > /workspace/new && sync"]
    ])
    try {
      await until("its standing still", async () => (await status("host")).detail !== undefined, 60_000)
      await json(["daemon", "stop"])
      await writing
      // Enough for a daemon to say that it is there, and not for the guest.
      fs.truncateSync(filler, fs.statSync(filler).size - 16 * PAGE)
      const { detail, state } = await status("host")
      assert.deepStrictEqual([state, detail], [
        "starting",
        "the host's disk is full: the guest stands still and goes on when there is room"
      ])
      for (const verb of [["exec", "host", "--", "true"], ["start", "host"], ["stop", "host"]]) {
        const refused = await failure(["workspace", ...verb])
        assert.deepInclude(refused, { code: "workspace_not_ready", state: "starting" }, verb[0])
      }
      // A copy needs room first, whatever the state of its origin.
      assert.strictEqual((await failure(["workspace", "fork", "host"])).code, "no_space")
    } finally {
      free()
    }
    await until("its going on", async () => (await status("host")).state === "running", 60_000)
    assert.strictEqual(await memory(), "kept")
  })

  it("the next daemon learns a command's end that the full disk could not record", async () => {
    const { id } = await status("host")
    const journal = path.join(state, "workspaces", id, "commands.jsonl")
    const execId = randomUUID().replaceAll("-", "")
    const scriptOf = (padding: number) => `: ${"x".repeat(padding)}; sleep 3; echo hello; exit 3`
    const lineOf = (script: string) => {
      const started = { id: execId, command: ["bash", "-c", script], startedAt: new Date().toISOString() }
      return `${JSON.stringify({ started })}\n`
    }
    // Its start ends right before a page does, so that its end needs another one.
    const paddingNow = () => {
      const left = (fs.statSync(journal).size + lineOf(scriptOf(0)).length) % PAGE
      return (2 * PAGE - SLACK - left) % PAGE
    }
    /** Ends are written after they are told. */
    const settled = () =>
      until("the end of every command is written", () => {
        const records = fs.readFileSync(journal, "utf8").split("\n")
        const count = (kind: string) => records.filter((record) => record.startsWith(`{"${kind}":`)).length
        return count("started") > 0 && count("started") === count("ended")
      })
    for (await settled(); paddingNow() > 3_500; await settled()) await sh("host", "true")
    const script = scriptOf(paddingNow())
    const size = fs.statSync(journal).size + lineOf(script).length
    const told = call(["workspace", "exec", "host", "--exec-id", execId, "--json", "--script", script])
    await until("its start is written", () => fs.statSync(journal).size === size)
    fill()
    try {
      const { code, stdout } = await told
      assert.deepInclude(JSON.parse(stdout.toString()), { outcome: "exited", status: 3 })
      assert.strictEqual(code, 3)
      assert.strictEqual(fs.statSync(journal).size, size)
      process.kill(await daemonPid(), "SIGKILL")
    } finally {
      free()
    }
    const entry = (await logs("host")).find((one) => "exec_id" in one && one.exec_id === execId)
    assert.deepInclude(entry as object, { outcome: "exited", status: 3 })
  })

  it("a workspace can be deleted on a full host", async () => {
    await create(["--name", "other"])
    fill()
    try {
      await json(["workspace", "delete", "host"])
      assert.deepStrictEqual((await list()).map(({ name }) => name), ["other"])
    } finally {
      free()
    }
    assert.strictEqual(await sh("other", "echo fine"), "fine")
  })
})
