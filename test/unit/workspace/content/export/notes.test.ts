import { assert, describe, it } from "vitest"
import { workspaceExport } from "../../../../../src/contract/rows/workspace-export.ts"
import type { PushedEntry } from "../../../../../src/lib/seeding/model/pushed.ts"
import { exportTool } from "../../../../../src/mcp/tools/crossing.ts"
import { emptyNote, hintOf, leftOutNotes } from "../../../../../src/workspace/content/export/notes.ts"
import { shown } from "../../../cli/shown.ts"
import { payload } from "./fake-guest.ts"

const bytes = (...names: ReadonlyArray<string>) => names.map((name) => Buffer.from(name))
const none = { defaultRules: [], ignoredCount: 0, nested: [] }
const left =
  "new files of 2 repositories made in the workspace are left out (vendor/copy, work); name one, or export them with --include-ignored"

const summary = {
  output: "/project",
  kind: "changes" as const,
  files: 0,
  changedFiles: 0,
  directories: 0,
  symlinks: 0,
  bytes: 0,
  skippedCount: 0,
  skipped: [],
  executableConfig: [],
  warnings: []
}

const resultOf = (...notes: ReadonlyArray<string>) => {
  const folding = workspaceExport.fold(payload({ apply: true }))
  for (const note of notes) folding.add(hintOf(note))
  folding.add({ _tag: "Exported", summary })
  return folding.result()!
}

describe("the notes of an export", () => {
  it("name repositories that the workspace made, and whose new files stay there", () => {
    assert.deepStrictEqual(leftOutNotes({ ...none, nested: bytes("vendor/copy", "work") }), [left])
    const [note = ""] = leftOutNotes({ ...none, nested: bytes("a", "b", "c", "d", "e\n", "f") })
    assert.include(note, "new files of 6 repositories made in the workspace are left out (a, b, c, d, \"e\\n\", ...)")
    assert.deepStrictEqual(leftOutNotes(none), [])
  })

  it("are in the result of every surface, beside its warnings", () => {
    const result = resultOf(left)
    assert.deepStrictEqual([result.notes, result.warnings], [[left], []])
    assert.include(exportTool.text!(result, {} as never), `note: ${left}`)
    assert.isUndefined(resultOf().notes)
  })

  it("say why an export has nothing to export, and the command line says nothing else", async () => {
    const file: PushedEntry = { _tag: "absent", applied: true }
    const entries = new Map([["dir/file", file]])
    const note = (applied: typeof entries, ...paths: ReadonlyArray<string>) =>
      emptyNote(payload({ apply: true }), { entries: applied }, { ...none, paths: bytes(...paths) })
    assert.strictEqual(note(entries), "nothing to export: all changes of the workspace were applied already")
    assert.strictEqual(note(new Map()), "nothing to export: the workspace has no changes")
    assert.strictEqual(
      note(entries, "other"),
      "nothing to export: no change that the request selects is left. The paths select files of the workspace; " +
        "the directory of the host is --output DIR"
    )
    assert.strictEqual(note(entries, "dir"), "nothing to export: all changes of the path were applied already")
    assert.strictEqual(
      emptyNote(payload({ patch: true }), { entries: new Map() }, { ...none, nested: bytes("work") }),
      "nothing to export: the workspace has no other changes; the patch is empty, and no tool applies an empty patch"
    )
    const result = resultOf("nothing to export: the workspace has no changes")
    assert.deepStrictEqual(await shown("workspace.export", result, { workspace: "fix" }), { out: "", err: "" })
  })
})
