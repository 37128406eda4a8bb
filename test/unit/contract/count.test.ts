import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { count } from "../../../src/contract/text/count.ts"

const root = path.resolve(import.meta.dirname, "../../..")
const files = ["src", "adapters", "apps"].flatMap((folder) =>
  fs.globSync(`${folder}/**/*.{ts,tsx}`, { cwd: root, exclude: (name) => path.basename(name) === "node_modules" })
)

describe("a number with its noun", () => {
  it("one has the singular, and each other number the plural", () => {
    assert.deepStrictEqual([0, 1, 2].map((number) => count(number, "command")), [
      "0 commands",
      "1 command",
      "2 commands"
    ])
    assert.strictEqual(count(2, "entry", "entries"), "2 entries")
  })

  it("one function makes plurals: no text has (s), and no other place adds an s", () => {
    assert.includeMembers(files, ["adapters/shared/text.ts", "apps/web/src/app.tsx"])
    for (const file of files.filter((one) => one !== "src/contract/text/count.ts")) {
      const text = fs.readFileSync(path.join(root, file), "utf8")
      assert.notMatch(text, /\w\(s\)[\s.,"`]/, file)
      assert.notMatch(text, /=== 1 \? "" : "s"|!== 1 \? "s" : ""|=== 1 \? one : many/, file)
    }
  })
})
