import { assert, describe, it } from "vitest"
import { FileFailed } from "../../../../src/system/files/failure.ts"
import { unwritten } from "../../../../src/workspace/entry/record.ts"

const failure = (code: string) =>
  new FileFailed({ operation: "write", path: "/state/file", code, detail: `${code}: as the kernel says it, write` })

describe("a workspace's file that the host refused", () => {
  it("a failed write of a workspace becomes NoSpace if the disk is full or the quota is used up", () => {
    for (const code of ["ENOSPC", "EDQUOT"]) {
      assert.deepInclude(unwritten({ directory: "/state" })(failure(code)), { code: "no_space", path: "/state" })
    }
  })

  it("a failed write of a workspace says that the state directory is unusable for every other reason", () => {
    assert.strictEqual(unwritten({ directory: "/state" })(failure("EROFS")).code, "state_directory_unusable")
  })
})
