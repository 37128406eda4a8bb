import { assert, describe, it } from "vitest"
import { inPageWords, noteInPageWords } from "../../../apps/web/src/review/refusals.ts"
import { ExportRefused } from "../../../src/contract/errors/errors.ts"
import { withWorkspace } from "../../../src/contract/errors/with-workspace.ts"
import { FILES_HAVE_CHANGED } from "../../../src/contract/text/export-refusals.ts"
import { leftOutNotes } from "../../../src/workspace/content/export/notes.ts"

describe("a refused export on the page", () => {
  it("files that have changed are told in the page's words, with the name of the workspace", () => {
    const refused = new ExportRefused({ detail: `${FILES_HAVE_CHANGED}; nothing was changed`, paths: [] })
    const words = inPageWords(withWorkspace(refused, "fix").message)
    assert.match(
      words,
      /the workspace with `pyro sync push fix DIR --force` in a terminal, or merge the downloaded patch;/
    )
    assert.notMatch(words, /--overwrite|NAME/)
  })

  it("notes of an export name no option", () => {
    const nested = [Buffer.from("vendor")]
    const notes = leftOutNotes({ defaultRules: ["*.pyc"], ignoredCount: 1, nested }).map(noteInPageWords)
    assert.deepStrictEqual(notes, [
      "1 ignored file is left out (also by pyro's own list: *.pyc)",
      "New files of 1 repository made in the workspace are left out (vendor)"
    ])
  })
})
