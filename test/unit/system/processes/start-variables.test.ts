import { spawn } from "node:child_process"
import { once } from "node:events"
import { assert, describe, it } from "vitest"
import { processIdentity } from "../../../../src/system/processes/identity.ts"
import { startVariables } from "../../../../src/system/processes/start-variables.ts"

describe("the variables that a process was started with", () => {
  it("every variable of the process is read, and none of another process or of an ended one", async () => {
    const env: Readonly<Record<string, string>> = { A: "b=c", EMPTY: "", LINES: "1\n2", NAME: "é" }
    const child = spawn("/bin/sleep", ["infinity"], { env, stdio: "ignore" })
    await once(child, "spawn")
    const identity = processIdentity(child.pid!)!
    try {
      assert.deepStrictEqual({ ...startVariables(identity) }, env)
      assert.isUndefined(startVariables({ ...identity, startTicks: identity.startTicks + 1 }))
    } finally {
      child.kill("SIGKILL")
      await once(child, "close")
    }
    assert.isUndefined(startVariables(identity))
  })
})
