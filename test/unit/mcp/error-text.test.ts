import { Cause } from "effect"
import { assert, describe, it } from "vitest"
import { WorkspaceNotReady } from "../../../src/contract/errors.ts"
import { errorText } from "../../../src/mcp/error-text.ts"

const hintIn = (state: string) =>
  errorText(Cause.fail(new WorkspaceNotReady({ workspace: "ws-0000000000", state, detail: "no" }))).split(
    "\nhint: "
  )[1]!

describe("the hint of an error, to a model", () => {
  it.each(["stopped", "failed"])("does not lead a workspace that is %s to lose its files", (state) => {
    assert.match(hintIn(state), /^call workspace_start or.*ask the user.*; workspace_reset would discard them$/)
  })

  it("is to wait for a workspace that is on its way", () => {
    for (const state of ["creating", "starting", "resetting"]) {
      assert.match(hintIn(state), /^call workspace_status until/)
      assert.notInclude(hintIn(state), "reset")
    }
  })
})
