import { assert, describe, it } from "vitest"
import { typedTold } from "../../../../../src/contract/rows/next-steps.ts"
import { type Notice, notice } from "../../../../../src/contract/rows/notice.ts"
import { workspaceExport } from "../../../../../src/contract/rows/workspace-export.ts"
import type { PushedEntry } from "../../../../../src/lib/seeding/model/pushed.ts"
import { exportTool } from "../../../../../src/mcp/tools/crossing.ts"
import { emptyNote, leftOutNotes } from "../../../../../src/workspace/content/export/notes.ts"
import { shown } from "../../../cli/shown.ts"
import { payload } from "./fake-guest.ts"

const bytes = (...names: ReadonlyArray<string>) => names.map((name) => Buffer.from(name))
const none = { defaultRules: [], ignoredCount: 0, nested: [] }
const left =
  "new files of 2 repositories made in the workspace are left out (vendor/copy, work). Name one. Export them too: --include-ignored"

const said = (notes: ReadonlyArray<Notice>) => notes.map((one) => typedTold(one, workspaceExport.cli))

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

const resultOf = (...notes: ReadonlyArray<Notice>) => {
  const folding = workspaceExport.fold(payload({ apply: true }))
  for (const note of notes) folding.add(note)
  folding.add({ _tag: "Exported", summary })
  return folding.result()!
}

describe("the notes of an export", () => {
  it("name repositories that the workspace made, and whose new files stay there", () => {
    assert.deepStrictEqual(said(leftOutNotes({ ...none, nested: bytes("vendor/copy", "work") })), [left])
    const [note = ""] = said(leftOutNotes({ ...none, nested: bytes("a", "b", "c", "d", "e\n", "f") }))
    assert.include(note, "new files of 6 repositories made in the workspace are left out (a, b, c, d, \"e\\n\", ...)")
    assert.deepStrictEqual(leftOutNotes(none), [])
  })

  it("are in the result of every surface, beside its warnings", () => {
    const [left] = leftOutNotes({ ...none, nested: bytes("work") })
    const { message, next } = left!
    const result = resultOf(left!, notice("warning", "mind"))
    assert.deepStrictEqual([result.notes, result.warnings], [[{ message, next: next! }], [{ message: "mind" }]])
    const told = ({ message }: { readonly message: string }) => `<${message}>`
    assert.include(exportTool.text!(result, { told } as never), `warning: <mind>\nnote: <${message}>`.split("\n")[1]!)
    assert.isUndefined(resultOf().notes)
  })

  it("say why an export has nothing to export, and the command line says nothing else", async () => {
    const file: PushedEntry = { _tag: "absent", applied: true }
    const entries = new Map([["dir/file", file]])
    const note = (applied: typeof entries, ...paths: ReadonlyArray<string>) =>
      said([emptyNote(payload({ apply: true }), { entries: applied }, { ...none, paths: bytes(...paths) })])[0]
    assert.strictEqual(note(entries), "nothing to export: all changes of the workspace were applied already")
    assert.strictEqual(note(new Map()), "nothing to export: the workspace has no changes")
    assert.strictEqual(
      note(entries, "other"),
      "nothing to export: no change that the request selects is left. Name the directory of the host: --output"
    )
    assert.strictEqual(note(entries, "dir"), "nothing to export: all changes of the path were applied already")
    assert.strictEqual(
      emptyNote(payload({ patch: true }), { entries: new Map() }, { ...none, nested: bytes("work") }).message,
      "nothing to export: the workspace has no other changes; the patch is empty, and no tool applies an empty patch"
    )
    const result = resultOf(notice("hint", "nothing to export: the workspace has no changes"))
    assert.deepStrictEqual(await shown("workspace.export", result, { workspace: "fix" }), { out: "", err: "" })
  })
})
