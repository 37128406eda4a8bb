import { assert, describe, it } from "vitest"
import {
  isLegal,
  lastingStates,
  operationStates,
  type WorkspaceOperation
} from "../../../src/contract/operation-states.ts"
import { operations } from "../../../src/contract/operations.ts"
import { WorkspaceState } from "../../../src/contract/operations/workspace-info.ts"
import { payloadFields } from "../../../src/contract/payload-fields.ts"

const states = WorkspaceState().literals
const named = Object.keys(operationStates) as ReadonlyArray<WorkspaceOperation>

describe("the table of legal states", () => {
  it("has a row for every operation that takes a workspace, and for no other", () => {
    const fields = ["workspace", "workspaces", "from", "from_workspace"]
    const taking = operations.filter((row) =>
      row.name !== "workspace.create" && payloadFields(row.payload()).some(({ name }) => fields.includes(name))
    )
    assert.deepStrictEqual(
      taking.map(({ name }) => name).filter((name) => name !== "env.build").sort(),
      [
        ...named.filter((name) => name !== "env.build")
      ].sort()
    )
    assert.include(named, "env.build")
  })

  it("names only states that a workspace has, each of them once", () => {
    for (const [name, { legal }] of Object.entries(operationStates)) {
      assert.isNotEmpty(legal, name)
      assert.deepStrictEqual(legal.filter((state) => !states.includes(state)), [], name)
      assert.strictEqual(new Set(legal).size, legal.length, name)
    }
  })

  it("lets every operation through in some state that lasts", () => {
    for (const name of named) assert.isNotEmpty(lastingStates(name), name)
  })

  it("lets nothing but looks and a deletion through while a workspace is deleted", () => {
    assert.deepStrictEqual(named.filter((name) => isLegal(name, "deleting")).sort(), [
      "workspace.cancel",
      "workspace.delete",
      "workspace.logs",
      "workspace.snapshot.list",
      "workspace.status"
    ])
  })
})
