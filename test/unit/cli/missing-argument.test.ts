import { assert, describe, it } from "vitest"
import { on } from "./on.ts"

describe("a command without one of its arguments", () => {
  it.each([
    ["status", "workspace: missing. Usage: pyro status <workspace>. List them: pyro list"],
    ["cancel fix", "exec_id: missing. Usage: pyro cancel <workspace> <exec_id>. List them: pyro logs WORKSPACE"],
    [
      "shell read fix",
      "shell_id: missing. Usage: pyro shell read <workspace> <shell_id>. List them: pyro shell list WORKSPACE"
    ],
    ["service start fix", "name: missing. Usage: pyro service start <workspace> <name>"],
    ["agent", "agent: missing. Usage: pyro agent <agent>. One of: claude-code, codex, opencode, gemini"]
  ])("pyro %s says how it is typed, and where its value is found", async (line, text) => {
    const { journal, status } = await on(line.split(" "))
    assert.include(journal.join(""), `err pyro: ${text}\nsee: pyro ${line.replace(/ fix$/, "")} --help\n`)
    assert.strictEqual(status, 2)
  })

  it("a group without a verb names also the verbs that workspaces have under its name", async () => {
    assert.include((await on(["network", "--json"])).journal.join(""), "needs a verb: lists, set, log")
  })
})
