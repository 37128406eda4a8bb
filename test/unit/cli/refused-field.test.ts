import { assert, describe, it } from "vitest"
import { InvalidRequest } from "../../../src/contract/errors/errors.ts"
import { call, option } from "../../../src/contract/errors/next-step.ts"
import { on } from "./on.ts"

describe("a field that an operation refuses", () => {
  it.each([
    ["env import app.tar", "env.import", "name", "--name"],
    ["cancel fix 1", "workspace.cancel", "exec_id", "<exec_id>"],
    ["cp fix:a ./b", "workspace.export", "output", "<target>"],
    ["cp ./a fix:b", "workspace.import", "source_path", "<source>"]
  ])("pyro %s has the name that was typed, and keeps the steps", async (line, operation, field, typed) => {
    const next = [option("Give another", field, "other"), call("Or look", "workspace.list")]
    const answers = { [operation]: new InvalidRequest({ field, detail: "is refused", next }) }
    const { journal, status } = await on(line.split(" "), { answers })
    assert.match(
      journal.join(""),
      new RegExp(`err pyro: ${typed}: is refused\\. Give another: .*other\\. Or look: pyro list\nsee: pyro `)
    )
    assert.strictEqual(status, 2)
  })
})
