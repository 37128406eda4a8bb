import { assert, describe, it } from "vitest"
import { operations } from "../../../src/contract/rows/operations.ts"
import { refusedPath } from "../../../src/sdk/connection/own-paths.ts"

describe("a path of this machine in a request for another one", () => {
  const rowOf = (name: string) => operations.find((row) => row.name === name)!
  const fieldOf = (name: string, payload: object) => refusedPath(rowOf(name), payload, "context bench")?.field

  it("is refused in each field that names one", () => {
    assert.strictEqual(fieldOf("workspace.create", { seedPath: "/home/me" }), "seed_path")
    assert.strictEqual(fieldOf("workspace.create", { dockerfile: "/x" }), "dockerfile")
    assert.strictEqual(fieldOf("workspace.create", { devcontainer: "/x" }), "devcontainer")
    assert.strictEqual(fieldOf("workspace.create", { sshAgentSocket: "/x" }), "ssh_agent_socket")
    assert.strictEqual(fieldOf("workspace.create", { environment: "oci-archive:/x" }), "environment")
    assert.strictEqual(fieldOf("workspace.export", { output: "/x" }), "output")
    assert.strictEqual(fieldOf("workspace.import", { sourcePath: "/x" }), "source_path")
    assert.strictEqual(fieldOf("saved.export", { output: "/x" }), "output")
  })

  it("is not seen in others", () => {
    assert.isUndefined(fieldOf("workspace.create", { environment: "debian:12", repoUrl: "https://x.test/y" }))
    assert.isUndefined(fieldOf("workspace.file.read", { path: "/etc/passwd" }))
    assert.isUndefined(fieldOf("workspace.import", { sourcePath: "-" }))
  })
})
