import { assert, describe, it } from "vitest"
import { contextOf, route, splitArgv } from "../../../src/cli/arguments/argv.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { refusedPath } from "../../../src/sdk/connection/own-paths.ts"

const read = (...argv: ReadonlyArray<string>) => {
  const { own, rest } = splitArgv(argv)
  const routed = route(own)
  return { context: contextOf(routed), rest, tag: routed._tag as string }
}

describe("--context", () => {
  it.each([
    [["--context", "bench", "list"]],
    [["--context=bench", "list"]],
    [["--json", "--context", "bench", "list"]],
    [["list", "--context", "bench"]],
    [["workspace", "list", "--json", "--context=bench"]],
    [["--context", "bench", "mcp", "serve"]],
    [["up", "--context", "bench"]]
  ])("is read in %j", (argv) => {
    const { context, tag } = read(...argv)
    assert.deepStrictEqual([context, ["Operation", "Command"].includes(tag)], ["bench", true])
  })

  it("before a guest's command is pyro's, and in the command is the command's", () => {
    const own = { context: "bench", rest: ["ls", "--context", "other"], tag: "Operation" }
    assert.deepStrictEqual(read("--context", "bench", "exec", "fix", "ls", "--context", "other"), own)
    assert.deepStrictEqual(read("exec", "--context", "bench", "fix", "--", "ls", "--context", "other"), own)
    assert.isUndefined(read("exec", "fix", "ls", "--context", "other").context)
  })

  it("without a name, or of a command about this machine alone, is refused or none", () => {
    assert.strictEqual(read("--context").tag, "Wrong")
    assert.isUndefined(read("context", "list", "--context", "bench").context)
  })
})

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
