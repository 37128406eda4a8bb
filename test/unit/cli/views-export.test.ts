import { assert, it } from "vitest"
import { shown } from "./shown.ts"

it("an export of a patch says how many files the patch changes, and another one how many files it wrote", async () => {
  const summary = { output: "/p/out", files: 1, bytes: 393, skippedCount: 0, skipped: [], warnings: [] }
  const text = async (more: object) => (await shown("workspace.export", { ...summary, ...more }, {})).err
  assert.strictEqual(await text({ kind: "patch", changedFiles: 2 }), "/p/out: 2 changed files, 393 B\n")
  assert.strictEqual(await text({ kind: "patch", changedFiles: 1 }), "/p/out: 1 changed file, 393 B\n")
  assert.strictEqual(await text({ kind: "file" }), "/p/out: 1 file, 393 B\n")
})

it("changes of files are listed, and those that were there already are counted", async () => {
  const entry = (path: string, more: object = {}) => ({ path, type: "file" as const, mode: "0644", size: 1, ...more })
  const result = {
    output: "/p",
    kind: "changes" as const,
    entries: [entry("new"), entry("old", { replaced: true }), entry("gone", { removed: true })],
    equalFiles: 2,
    skippedCount: 0,
    skipped: [],
    warnings: []
  }
  assert.deepInclude(await shown("workspace.export", result, {}), {
    out: "added new\nmodified old\ndeleted gone\n",
    err: "/p: 3 files changed, 2 already equal\n"
  })
  assert.strictEqual(
    (await shown("workspace.export", { ...result, checked: true, equalFiles: 0 }, {})).err,
    "/p: 3 files would be changed\n"
  )
})
