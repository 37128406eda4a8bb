import { assert, describe, it } from "vitest"
import { fileFailedAt } from "../../../../../src/lib/vm/model/failure.ts"
import { FileFailed } from "../../../../../src/system/files/failure.ts"

const failure = (code: string) =>
  new FileFailed({ operation: "write", path: "/state/file", code, detail: `${code}: as the kernel says it, write` })

describe("a file of a VM that the host refused", () => {
  it("a failed write of a VM becomes NoSpace if the disk is full or the quota is used up", () => {
    for (const code of ["ENOSPC", "EDQUOT"]) {
      assert.deepInclude(fileFailedAt("record", "/state")(failure(code)), { code: "no_space", path: "/state" })
    }
  })

  it("a failed write of a VM names the step for every other reason", () => {
    const refused = fileFailedAt("record", "/state")(failure("EROFS"))
    assert.deepInclude(refused, { code: "vm_failed", step: "record" })
    assert.include(refused.message, "EROFS")
  })
})
