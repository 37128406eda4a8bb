import { assert, describe, it } from "vitest"
import { contextOf, route, splitArgv } from "../../../src/cli/arguments/argv.ts"

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
