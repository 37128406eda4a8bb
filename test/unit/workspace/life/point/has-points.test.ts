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

  it("a workspace on QEMU has points, and a candidate of a try has none", () => {
    assert.deepStrictEqual(
      [{}, { driver: "firecracker" }, { tryOf: "0123456789ab" }].map(hasPoints),
      [true, false, false]
    )
  })
})
