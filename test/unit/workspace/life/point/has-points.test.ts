import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { hasPoints } from "../../../../../src/workspace/life/point/keeper.ts"

describe("workspaces with points", () => {
  const before = process.env["PYRO_REWIND_MIB"]
  beforeEach(() => {
    process.env["PYRO_REWIND_MIB"] = "100"
  })
  afterEach(() => {
    if (before === undefined) delete process.env["PYRO_REWIND_MIB"]
    else process.env["PYRO_REWIND_MIB"] = before
  })

  it("a workspace has points on each driver, a candidate of a try has none, and no workspace has any without room", () => {
    const has = () => [{}, { driver: "firecracker" }, { tryOf: "0123456789ab" }].map(hasPoints)
    assert.deepStrictEqual(has(), [true, true, false])
    process.env["PYRO_REWIND_MIB"] = "0"
    assert.deepStrictEqual(has(), [false, false, false])
  })
})
