import { assert, describe, it } from "@effect/vitest"
import { typedTold } from "../../../../src/contract/rows/next-steps.ts"
import type { Notice } from "../../../../src/contract/rows/notice.ts"
import type { PreparedSeed } from "../../../../src/lib/seeding/model/request.ts"
import { reportSeed } from "../../../../src/workspace/life/guest/notices.ts"

const nothing = { files: 0, directories: 0, symlinks: 0, bytes: 0, skippedCount: 0, skipped: [], git: undefined }

const told = (report: Partial<PreparedSeed["report"]>) => {
  const notices: Array<Notice> = []
  reportSeed({ ...nothing, ...report }, (notice) => void notices.push(notice))
  return notices.map((notice) => `${notice.level}: ${typedTold(notice)}`)
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
      "warning: git's filter lfs applies to a.bin: git in the workspace leaves these files alone. See how commits keep them (docs/commits.md)",
      "warning: 1 ignored file or directory stays on the host: node_modules/. Copy them too: --include-ignored GLOB"
    ])
  })

  it("of a large copy that no rules of git chose, and not of a small one", () => {
    const whole = "/home/ada/site is no git repository"
    const many = { whole, files: 1001, bytes: 5000 }
    const large = { whole, files: 2, bytes: 64 * 1024 * 1024 + 1 }
    assert.deepStrictEqual([many, large].flatMap(told), [
      "warning: /home/ada/site is no git repository, so pyro copied all its files (1001 files, 5 KiB). " +
      "In a git repository, ignored files such as node_modules stay on the host",
      "warning: /home/ada/site is no git repository, so pyro copied all its files (2 files, 65 MiB). " +
      "In a git repository, ignored files such as node_modules stay on the host"
    ])
    assert.isEmpty(told({ whole, files: 1000, bytes: 64 * 1024 * 1024 }))
    assert.isEmpty(told({ files: 5000, bytes: 2 ** 40 }))
  })

  it("of a filter of git with three of its files and the number of the others", () => {
    assert.deepStrictEqual(told({ filtered: [{ filter: "lfs", paths: ["a", "b", "c", "d", "e"] }] }), [
      "warning: git's filter lfs applies to a, b, c and 2 more: git in the workspace leaves these files alone. See how commits keep them (docs/commits.md)"
    ])
  })
})
