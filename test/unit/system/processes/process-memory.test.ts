import { spawn } from "node:child_process"
import { once } from "node:events"
import { assert, describe, it } from "vitest"
import { processHolds } from "../../../../src/system/processes/process-memory.ts"

/** The child joins the halves: only its memory has the whole. */
const holder =
  `const [one, other] = process.argv.slice(1); const kept = Buffer.alloc(9 << 20); kept.write(one + other, kept.length - 40); console.log(kept.length); setInterval(() => {}, 1000)`

describe("what the memory of a process has", () => {
  it("bytes of a child are found, those of no process are not, and an ended process cannot be looked at", async () => {
    const [one, other] = ["mark-of-", "the-child"]
    const child = spawn("sh", ["-c", `"$@" & wait`, "sh", process.execPath, "-e", holder, one, other], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"]
    })
    try {
      await once(child.stdout, "data")
      assert.isTrue(processHolds(child.pid!, Buffer.from(one + other)))
      assert.isFalse(processHolds(child.pid!, Buffer.from(one + "nobody")))
    } finally {
      process.kill(-child.pid!, "SIGKILL")
      await once(child, "close")
    }
    assert.isUndefined(processHolds(child.pid!, Buffer.from(one)))
  })
})
