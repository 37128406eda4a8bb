import { assert, it } from "@effect/vitest"
import { tellSkipped } from "../../../../src/workspace/lifecycle/skipped.ts"

it("create warns of the properties of files that the seed lacks", () => {
  const told: Array<string> = []
  tellSkipped(
    { skipped: [], skippedCount: 0, losses: { setIds: { count: 3, first: "bin/su" } } },
    ({ level, message }) => void told.push(`${level}: ${message}`)
  )
  assert.deepStrictEqual(told, [
    "warning: the copies of 3 files and directories lack the set-user-ID or set-group-ID bit: bin/su and 2 more"
  ])
})
