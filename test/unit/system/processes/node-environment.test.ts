import { assert, describe, it, vi } from "vitest"
import { nodeEnvironment } from "../../../../src/system/processes/environment.ts"

describe("the environment of a Node process that handles a guest's traffic", () => {
  it("variables that print traffic or load code are left out, and all others stay", () => {
    const added = { NODE_DEBUG: "http", NODE_OPTIONS: "--require x", NODE_EXTRA_CA_CERTS: "/ca.pem" }
    for (const [name, value] of Object.entries(added)) vi.stubEnv(name, value)
    try {
      const environment = nodeEnvironment()
      assert.notProperty(environment, "NODE_DEBUG")
      assert.notProperty(environment, "NODE_OPTIONS")
      assert.strictEqual(environment["NODE_EXTRA_CA_CERTS"], "/ca.pem")
      assert.strictEqual(environment["PATH"], process.env["PATH"])
    } finally {
      vi.unstubAllEnvs()
    }
  })
})
