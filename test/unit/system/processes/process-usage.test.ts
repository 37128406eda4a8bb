import { spawn } from "node:child_process"
import { once } from "node:events"
import { assert, describe, it } from "vitest"
import { processUsage } from "../../../../src/system/processes/identity.ts"

describe("the use of the host by a process", () => {
  it("the use of a process counts its children, and an ended process has none", async () => {
    const work =
      `const kept = Buffer.alloc(64 << 20, 1); let n = 0; for (const end = Date.now() + 200; Date.now() < end;) n++; console.log(kept.length)`
    const child = spawn("sh", ["-c", `"$0" -e '${work}; setInterval(() => {}, 1000)' & wait`, process.execPath], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"]
    })
    try {
      await once(child.stdout, "data")
      const { cpuMs, residentBytes } = processUsage(child.pid!)!
      assert.isAbove(cpuMs, 0)
      assert.isAbove(residentBytes, 64 << 20)
      assert.isBelow(processUsage(child.pid!, 0)!.residentBytes, 64 << 20)
    } finally {
      process.kill(-child.pid!, "SIGKILL")
      await once(child, "close")
    }
    assert.isUndefined(processUsage(child.pid!))
  })
})
