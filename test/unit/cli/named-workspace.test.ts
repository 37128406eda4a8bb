import { assert, describe, it } from "vitest"
import { messageFor } from "../../../src/cli/arguments/named-workspace.ts"
import {
  ChannelFailed,
  CommandNotExecutable,
  CommandNotFound,
  DiskDamaged,
  GuestPanicked,
  type PyroError
} from "../../../src/contract/errors/errors.ts"
import { on } from "./on.ts"

describe("the next command after a disaster", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, string | undefined]> = [
    ["the workspace that was typed", ["exec", "fix", "--", "ls"], undefined],
    ["the workspace of PYRO_WORKSPACE", ["exec", "--", "ls"], "fix"],
    ["the workspace of a copy", ["cp", "fix:a", "."], undefined],
    ["the workspace of a command that shows its history", ["history", "fix"], undefined]
  ]
  const disasters: ReadonlyArray<PyroError> = [
    new ChannelFailed({ detail: "it is gone" }),
    new ChannelFailed({ detail: "nothing came", reason: "silent" }),
    new CommandNotFound({ command: "/bin/sh" }),
    new CommandNotFound({ command: "ls" }),
    new CommandNotExecutable({ command: "ls", detail: "no interpreter" }),
    new DiskDamaged({ detail: "no file system" }),
    new GuestPanicked({ detail: "sysrq", consoleTail: "end" })
  ]
  it.each(cases)("a rewind of %s is named", async (_, argv, workspace) => {
    for (const error of disasters) {
      const { journal } = await on(argv, {
        answers: { "workspace.exec": error, "workspace.export": error, "workspace.history": error },
        ...(workspace === undefined ? {} : { terminal: { workspace } })
      })
      const text = journal.join("")
      assert.match(text, /pyro rewind fix\b/)
      assert.notMatch(text, /pyro (start|stop|rewind|reset|exec) NAME/)
    }
  })

  it("only words of pyro that stand for a workspace are filled in", () => {
    const error = { fact: "pyro reset NAME", hint: undefined, toolSteps: () => "" }
    const next = "pyro rename fix NAME, pyro network set NAME, pyro saved delete NAME"
    assert.strictEqual(
      messageFor({ ...error, message: `${error.fact}. ${next}` }, "w"),
      "pyro reset NAME. pyro rename fix NAME, pyro network set w, pyro saved delete NAME"
    )
    assert.strictEqual(messageFor({ ...error, message: next }, undefined), next)
  })
})
