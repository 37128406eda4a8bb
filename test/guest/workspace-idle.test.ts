import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

const own = installation("pyro-idle-")
const seed = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-idle-seed-"))
beforeAll(async () => {
  const source = path.join(import.meta.dirname, "../fixtures/interval-timer/status.c")
  execFileSync("musl-gcc", ["-static", "-O2", "-o", path.join(seed, "interval-timer"), source])
  await own.create(["--name", "w", "--seed-path", seed])
})
afterAll(async () => {
  await own.close()
  fs.rmSync(seed, { recursive: true, force: true })
})

describe("a guest that does nothing", () => {
  it("an idle guest has no interval timer and uses another clock", async () => {
    const { stdout } = await own.call(["workspace", "exec", "w", "--", "./interval-timer"])
    assert.strictEqual(stdout.toString(), "mode 0, over\n")
    const sleep = "cat /sys/devices/system/clockevents/clockevent0/current_device; sleep 0.2; echo slept"
    const slept = await own.call(["workspace", "exec", "w", "--", "sh", "-c", sleep])
    assert.strictEqual(slept.stdout.toString(), "lapic\nslept\n")
  })
})
