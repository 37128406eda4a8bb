import { Result } from "effect"
import { assert, it } from "vitest"
import { exportTool, patchTool } from "../../../src/mcp/tools/crossing.ts"

it("workspace_patch_apply reports the position and looseness of hunks", () => {
  const note = { path: "a", hunk: 1, offsetLines: 0, loose: true }
  const text = patchTool.text?.({
    applied: true,
    filesChanged: 1,
    files: [{ path: "a", change: "modified" }],
    notes: [note, { ...note, hunk: 2, offsetLines: 27 }, { ...note, hunk: 3, offsetLines: 27, loose: false }]
  }, {} as never)
  assert.strictEqual(
    text,
    "applied: 1 file changed\nmodified a\n" +
      "note: a hunk 1 fits if white space is ignored\n" +
      "note: a hunk 2 fits 27 lines away if white space is ignored\n" +
      "note: a hunk 3 fits 27 lines away"
  )
})

it("workspace_patch_apply names the files that keep their line ends", () => {
  const text = patchTool.text?.({
    applied: true,
    filesChanged: 2,
    files: [{ path: "a", change: "modified", lineEndings: "crlf" }, { path: "b", change: "added" }],
    notes: []
  }, {} as never)
  assert.strictEqual(text, "applied: 2 files changed\nmodified a (its lines still end in CRLF)\nadded b")
})

it("workspace_export exports everything only if asked to", () => {
  const filled = (fields: Readonly<Record<string, unknown>>) => exportTool.fill!({ fields, own: {} }, {} as never)
  const refused = filled({ output: "/out" })
  assert.isTrue(Result.isFailure(refused) && refused.failure.message.includes("path: is missing"))
  for (const fields of [{ path: "." }, { patch: true }, { path: "src", patch: true }]) {
    assert.deepStrictEqual(filled(fields), Result.succeed(fields))
  }
})

it("workspace_export says how many files a patch changes, and how many files it wrote otherwise", () => {
  const summary = { workspace: "fix", output: "/p/out", directories: 0, symlinks: 0, bytes: 9, skippedCount: 0 }
  const none = { skipped: [], executableConfig: [], warnings: [], entries: [] }
  const text = (more: object) => exportTool.text?.({ ...summary, ...none, files: 1, ...more } as never, {} as never)
  assert.strictEqual(text({ kind: "patch", changedFiles: 2 }), "exported the diff of 2 changed files to /p/out, 9 B")
  assert.strictEqual(text({ kind: "file" }), "exported 1 file to /p/out, 9 B")
})
