import { assert, describe, it } from "vitest"
import { typedTold } from "../../../src/contract/rows/next-steps.ts"
import type { ResultOf } from "../../../src/contract/rows/operations.ts"
import { leftOutNotes } from "../../../src/workspace/content/export/notes.ts"
import { shown } from "./shown.ts"

const summary = { files: 0, added: 0, modified: 0, deleted: 0, renamed: 0, typeChanged: 0, additions: 0, deletions: 0 }
const unchanged = { summary, files: [], unlisted: 0, ignoredCount: 0, specialCount: 0, verified: false, patch: "" }
const defaultRules = ["*.pyc", "node_modules/"]
const why = "(also by pyro's own list: *.pyc, node_modules/)"

describe("files that a diff leaves out", () => {
  const errOf = async (result: Partial<ResultOf<"workspace.diff">>) =>
    (await shown("workspace.diff", { ...unchanged, ...result }, { workspace: "fix", paths: [] })).err

  it("are counted by diff, with the patterns of pyro's own list", async () => {
    assert.include(await errOf({ ignoredCount: 1 }), "\n1 ignored file left out; show them with --include-ignored\n")
    assert.include(
      await errOf({ ignoredCount: 2, defaultRules }),
      `\n2 ignored files left out ${why}; show them with --include-ignored\n`
    )
  })

  it("are named by export if pyro's own list excludes them", () => {
    assert.deepStrictEqual(leftOutNotes({ ignoredCount: 3, defaultRules: [], nested: [] }), [])
    assert.deepStrictEqual(
      leftOutNotes({ ignoredCount: 1, defaultRules, nested: [] }).map((one) => typedTold(one)),
      [`1 ignored file is left out ${why}. Export them too: --include-ignored`]
    )
  })
})
