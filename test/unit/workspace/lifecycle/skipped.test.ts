import { assert, describe, it } from "@effect/vitest"
import type { Notice } from "../../../../src/contract/notice.ts"
import { tellSeed } from "../../../../src/workspace/lifecycle/skipped.ts"
import type { PreparedSeed } from "../../../../src/workspace/seed/request.ts"

const nothing = { files: 0, directories: 0, symlinks: 0, bytes: 0, skippedCount: 0, skipped: [], git: undefined }

const told = (report: Partial<PreparedSeed["report"]>) => {
  const notices: Array<Notice> = []
  tellSeed({ ...nothing, ...report }, (notice) => void notices.push(notice))
  return notices.map(({ level, message }) => `${level}: ${message}`)
}

describe("run and create warn", () => {
  it("of the properties of files that the seed lacks", () => {
    assert.deepStrictEqual(told({ losses: { setIds: { count: 3, first: "bin/su" } } }), [
      "warning: the copies of 3 files and directories lack the set-user-ID or set-group-ID bit: bin/su and 2 more"
    ])
  })

  it("of skipped files, of files with a filter of git, and of ignored files that stay on the host", () => {
    const report = {
      skipped: [{ path: "fifo", reason: "it is a FIFO" }],
      skippedCount: 1,
      filtered: [{ filter: "lfs", paths: ["a.bin"] }],
      left: ["node_modules/"]
    }
    assert.deepStrictEqual(told(report), [
      "warning: left out of /workspace: fifo (it is a FIFO)",
      "warning: git's filter lfs applies to a.bin: git in the workspace leaves these files alone (docs/commits.md)",
      "warning: 1 ignored file or directory stays on the host: node_modules/; copy them with --include-ignored GLOB"
    ])
  })
})
