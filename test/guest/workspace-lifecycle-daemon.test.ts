import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { memoryStoresOf } from "../support/host/host-inventory.ts"
import { installation, vmmOf } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"
import { isFirecracker, vmmName } from "../support/vm/vmm.ts"

const pyro = installation("pyro-adopt-", {
  env: { PYRO_DAEMON_IDLE_MS: "500" },
  state: "a state directory/" + "x".repeat(90)
})
const { call, create, daemon, daemonPid, json, list, sh, state, status, step } = pyro
afterAll(pyro.close)

describe("workspaces and the daemon's own life", { concurrent: false }, () => {
  it("a workspace and its processes go on under the next daemon after a stop or a kill", async () => {
    const { id } = await create(["--name", "lives"])
    const qemu = await vmmOf(pyro, id)
    await sh(
      "lives",
      "echo kept > /dev/shm/memory; setsid sleep 1000 > /dev/null 2>&1 < /dev/null & echo $! > /dev/shm/pid"
    )
    const record = fs.readFileSync(path.join(state, "workspaces", id, "record.json"), "utf8")
    const { vm } = JSON.parse(record) as { readonly vm: string }
    const leftover = path.join(state, "vms", vm, "run", isFirecracker ? "captured.mem" : "m")
    for (const end of ["stop", "kill"] as const) {
      // As a kill in the middle of a capture leaves it.
      fs.writeFileSync(leftover, "")
      const pid = await daemonPid()
      if (end === "stop") await json(["daemon", "stop"])
      else process.kill(pid, "SIGKILL")
      await until("its end", async () => !(await daemon()).running)
      assert.deepStrictEqual((await list()).map(({ name, state }) => [name, state]), [["lives", "running"]])
      assert.notStrictEqual(await daemonPid(), pid)
      assert.strictEqual(await vmmOf(pyro, id), qemu)
      assert.strictEqual(await sh("lives", "kill -0 $(cat /dev/shm/pid); cat /dev/shm/memory"), "kept")
      assert.strictEqual((await status("lives")).generation, 1)
      assert.isFalse(fs.existsSync(leftover))
    }
  })

  it("daemon status shows which process belongs to which workspace", async () => {
    const { id } = await status("lives")
    const { pid, vms } = await daemon()
    const { stdout } = await call(["daemon", "status"])
    const [upToVms = "", disk = ""] = stdout.toString().trimEnd().split(/^(?=DISK +SIZE$)/m)
    const [first, second, third, header, ...rows] = upToVms.trimEnd().split("\n")
    assert.match(first!, new RegExp(`^running: process ${pid}, pyro \\S+ \\(\\w+\\), since \\d{4}-`))
    assert.match(second!, /^log: \//)
    assert.match(third!, /^operations: \d+, \d+ failed; microVMs: \d+, /)
    assert.match(header!, /^VM +PURPOSE +WORKSPACE +PID +MEMORY$/)
    assert.strictEqual(rows.length, vms.length)
    assert.match(disk, /^total +\d+ \w+$/m)
    const own = rows.find((row) => row.includes(id))
    assert.match(own ?? "", new RegExp(`^vm-\\w+ +workspace +${id} +${await vmmOf(pyro, id)} +\\d+ MiB$`))
  })

  it("a VMM that died without a daemon is reported, and start repairs the workspace", async () => {
    const { id } = await status("lives")
    await sh("lives", "echo data > /workspace/data; sync")
    const qemu = await vmmOf(pyro, id)
    await json(["daemon", "stop"])
    process.kill(qemu, "SIGKILL")
    const [found] = await list()
    assert.deepStrictEqual([found?.id, found?.state], [id, "failed"])
    assert.include(found?.detail ?? "", vmmName)
    assert.deepStrictEqual((await daemon()).vms, [], "what the dead VM had is still there")
    const { stdout } = await call(["daemon", "logs"])
    assert.match(stdout.toString(), new RegExp(`level=WARN .*${id} has failed: .*${vmmName}`))
    await step("start", "lives")
    assert.strictEqual(await sh("lives", "cat /workspace/data"), "data")
  })

  it("the daemon stays while a workspace runs and exits when all are stopped", async () => {
    const pid = await daemonPid()
    await lapsed(1500)
    assert.strictEqual(await daemonPid(), pid)
    await step("stop", "lives")
    await until("its leaving", async () => !(await daemon()).running)
    assert.deepStrictEqual((await daemon()).vms, [])
    assert.deepStrictEqual(memoryStoresOf(state), [], "an empty memory directory is left")
    assert.strictEqual((await call(["workspace", "start", "lives"])).code, 0)
    assert.strictEqual(await sh("lives", "cat /workspace/data"), "data")
  })
})
