import { assert, describe, it } from "vitest"
import { isDiskFull } from "../../../src/system/disk-full.ts"
import { fileFailedAt } from "../../../src/vm/failure.ts"
import { unwritable } from "../../../src/workspace/lifecycle/record.ts"

const thrown = (code: string) => Object.assign(new Error(`${code}: as the kernel says it, write`), { code })

describe("a file that cannot be written", () => {
  it("for want of room, or of quota, is told as such wherever it was", () => {
    for (const cause of [thrown("ENOSPC"), thrown("EDQUOT")]) {
      assert.isTrue(isDiskFull(cause))
      assert.strictEqual(fileFailedAt("record", "/state")(cause).code, "no_space")
      assert.strictEqual(unwritable({ directory: "/state" })(cause).code, "no_space")
    }
  })

  it("for any other reason is not", () => {
    for (const cause of [thrown("EROFS"), new Error("none"), undefined, null]) assert.isFalse(isDiskFull(cause))
    assert.strictEqual(fileFailedAt("record", "/state")(thrown("EROFS")).code, "vm_failed")
    assert.strictEqual(unwritable({ directory: "/state" })(thrown("EROFS")).code, "state_directory_unusable")
  })
})
