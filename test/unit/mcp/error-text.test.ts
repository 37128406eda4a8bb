import { Cause } from "effect"
import { assert, describe, it } from "vitest"
import {
  ChannelFailed,
  DiskDamaged,
  type PyroError,
  ServiceRunning,
  SnapshotExists,
  WorkspaceNotFound,
  WorkspaceNotReady
} from "../../../src/contract/errors/errors.ts"
import { withWorkspace } from "../../../src/contract/rows/next-steps.ts"
import { argumentsOf } from "../../../src/mcp/arguments.ts"
import { errorText } from "../../../src/mcp/error-text.ts"
import { toolRows } from "../../../src/mcp/profile.ts"
import { selectedTools } from "../../../src/mcp/tool-table.ts"

/** A tool of a server that has all tools. */
const [tool] = selectedTools("workspace-full")

const hintIn = (state: string) =>
  errorText(
    Cause.fail(new WorkspaceNotReady({ workspace: "ws-0000000000", state, detail: "no", legalStates: ["running"] })),
    tool
  )
    .split("\nhint: ")[1]!

describe("the hint of an error, to a model", () => {
  it.each(["stopped", "failed"])("the hint for a %s workspace keeps the files", (state) => {
    assert.match(
      hintIn(state),
      /^Start it: call workspace_start \{"workspace_id":"ws-0000000000"\}$/
    )
  })

  it("the hint for a damaged disk is a reset, with its cost", () => {
    const text = errorText(Cause.fail(withWorkspace(new DiskDamaged({ detail: "could not mount" }), "fix")), tool)
    assert.match(
      text,
      /^disk_damaged: .*could not mount\nhint: Return to before the last command: call workspace_reset \{"workspace_id":"fix","before":"1"\}\. Or to the seed/
    )
  })

  it("a name that is taken leads to another name, and not to a deletion", () => {
    const taken = new SnapshotExists({ workspace: "ws-0000000000", snapshot: "green" })
    assert.match(
      errorText(Cause.fail(taken), tool),
      /\nhint: Choose another name\. List them: call workspace_snapshot_list/
    )
    const running = new ServiceRunning({ workspace: "ws-0000000000", service: "web", state: "ready" })
    assert.match(
      errorText(Cause.fail(running), tool),
      /\nhint: Choose another name\. Or stop it first: call service_stop/
    )
  })

  it("the hint for a silent guest keeps the files first", () => {
    const text = errorText(
      Cause.fail(withWorkspace(new ChannelFailed({ reason: "silent", detail: "it has sent nothing" }), "fix")),
      tool
    )
    assert.match(
      text,
      /^guest_silent: the guest does not answer: .*\nhint: Stop it, and start it again: the files are kept: call workspace_stop .* call workspace_reset .*"before":"1"/
    )
    assert.notMatch(text, /pyro (workspace|reset|stop)/)
  })

  it("the hint for a workspace in transition is to wait", () => {
    for (const state of ["creating", "starting", "resetting"]) {
      assert.match(hintIn(state), /^Wait until it is running: call workspace_status/)
      assert.notInclude(hintIn(state), "reset")
    }
  })
})

describe("what happened, to a model", () => {
  const row = toolRows("full").find(({ name }) => name === "workspace.export")!
  const textFor = (error: PyroError) => errorText(Cause.fail(error), { row, args: argumentsOf(row, "full") })

  it("an error text for a model names no command of pyro", () => {
    assert.strictEqual(
      textFor(new WorkspaceNotFound({ workspace: "x", similar: [] })).split("\n")[0],
      "workspace_not_found: no workspace \"x\""
    )
  })
})
