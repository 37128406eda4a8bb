import { assert, describe, it } from "vitest"
import {
  isLegal,
  lastingStates,
  operations,
  operationStates,
  type WorkspaceOperation
} from "../../../src/contract/rows/operations.ts"
import { payloadFields } from "../../../src/contract/rows/payload-fields.ts"
import { WorkspaceState } from "../../../src/contract/rows/workspace-info.ts"

const states = WorkspaceState().literals
const named = Object.keys(operationStates) as ReadonlyArray<WorkspaceOperation>

describe("the table of legal states", () => {
  it("the table of legal states has exactly the operations that take a workspace", () => {
    const fields = ["workspace", "workspaces", "from"]
    // The page shows a workspace in each state, and a build is from an environment.
    const others: ReadonlyArray<string> = ["workspace.create", "env.build", "ui"]
    const taking = operations.filter((row) =>
      !others.includes(row.name) && payloadFields(row.payload()).some(({ name }) => fields.includes(name))
    )
    assert.deepStrictEqual(taking.map(({ name }) => name).sort(), [...named].sort())
  })

  it("the table of legal states names existing states only, each once", () => {
    for (const [name, { legal }] of Object.entries(operationStates)) {
      assert.isNotEmpty(legal, name)
      assert.deepStrictEqual(legal.filter((state) => !states.includes(state)), [], name)
      assert.strictEqual(new Set(legal).size, legal.length, name)
    }
  })

  it("the table of legal states allows every operation in some lasting state", () => {
    for (const name of named) assert.isNotEmpty(lastingStates(name), name)
  })

  it("a workspace in deletion allows only reads, delete, and the control of commands", () => {
    assert.deepStrictEqual(named.filter((name) => isLegal(name, "deleting")).sort(), [
      "workspace.cancel",
      "workspace.delete",
      "workspace.events",
      "workspace.history",
      "workspace.logs",
      "workspace.network.log",
      "workspace.port.list",
      "workspace.resize",
      "workspace.service.list",
      "workspace.service.logs",
      "workspace.service.status",
      "workspace.service.stop",
      "workspace.shell.close",
      "workspace.shell.list",
      "workspace.shell.read",
      "workspace.signal",
      "workspace.snapshot.list",
      "workspace.status",
      "workspace.stdin",
      "workspace.timeline"
    ])
  })
})
