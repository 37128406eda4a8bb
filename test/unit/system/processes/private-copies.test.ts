import { assert, describe, it } from "vitest"
import { privateCopies } from "../../../../src/system/processes/private-copies.ts"

describe("private copies", () => {
  it("counts the pages of a file that a process has changed for itself", () => {
    // The loader has written addresses into its copies of Node's data.
    const copies = privateCopies(process.pid, process.execPath)
    assert.isAbove(copies, 0)
    assert.isBelow(copies, 64 * 1024 * 1024)
  })

  it("a file that is not mapped and a process that is gone have none", () => {
    assert.strictEqual(privateCopies(process.pid, "/no/such/file"), 0)
    assert.strictEqual(privateCopies(4_194_305, process.execPath), 0)
  })
})
