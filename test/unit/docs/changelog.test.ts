import * as fs from "node:fs"
import * as path from "node:path"
import { assert, it } from "vitest"
import { packageVersion } from "../../support/package/package-version.ts"

const changelog = fs.readFileSync(path.join(import.meta.dirname, "../../../CHANGELOG.md"), "utf8")
const parts = changelog.split(/^## /m).slice(1)

/** A page, which a person reads before an update. */
const LINES = 120

it("the changelog has a part for the version of package.json, and each part is at most a page of groups", () => {
  assert.include(parts.map((part) => part.split(/\s/, 1)[0]), packageVersion)
  for (const part of parts) {
    const [heading = "", ...lines] = part.trimEnd().split("\n")
    assert.isAtMost(lines.length, LINES, heading)
    const at = lines.findIndex((line) => line.startsWith("- "))
    assert.isTrue(lines.slice(0, at).some((line) => line.startsWith("### ")), `${heading}: a line stands in no group`)
  }
})
