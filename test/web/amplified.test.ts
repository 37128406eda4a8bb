import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { pageOverLocalAgents } from "../support/web/harness.ts"

/** Bytes of one page of output. */
const PAGE = 261_000

const filled = (unit: string) => unit.repeat(Math.floor(PAGE / Buffer.byteLength(unit)))

const outputs = {
  "cursor-to-column": filled("\u001b[4097Gx\n"),
  "cursor-forward": filled("\u001b[4097Cx\n"),
  "cursor-to-row-and-column": filled("\u001b[;4097Hx\n"),
  "tabs": filled("\tx\n"),
  "repeat": filled("x\u001b[4097b"),
  "insert-blanks": filled("x\u001b[4097@"),
  "links": filled(`\u001b]8;;http://${"a".repeat(4_000)}\u001b\\x\u001b]8;;\u001b\\`),
  "newlines": filled("\n"),
  "a-look-for-each-character": filled("\u001b[1mA"),
  "two-looks-in-turn": filled("\u001b[1mA\u001b[mB"),
  "invisible-characters": filled("\u007f")
}

describe("output that could become large on the page", { concurrent: false }, () => {
  const { assertNoFaults, create, exec, folder, page, show } = pageOverLocalAgents("amplified")

  it("261 kB of a hostile guest's output have bounded text and elements in the browser", async () => {
    const project = path.join(folder, "project")
    fs.mkdirSync(project)
    for (const [name, text] of Object.entries(outputs)) fs.writeFileSync(path.join(project, name), text)
    await create({ name: "fix", seed_path: project, git: "none" })
    for (const name of Object.keys(outputs)) {
      await exec({ workspace: "fix", command: ["sh", "-c", `cat ${name}; echo the end`] })
      await show("/w/fix")
      const entry = page().locator(".entry", { hasText: `cat ${name}; echo` }).first()
      await entry.getByRole("button").first().click()
      const output = entry.getByRole("region")
      await output.getByText("the end").waitFor()
      const { elements, length } = await output.evaluate((pre) => {
        const { querySelectorAll, textContent } = pre as unknown as {
          readonly querySelectorAll: (selector: string) => { readonly length: number }
          readonly textContent: string
        }
        return { elements: querySelectorAll.call(pre, "*").length, length: textContent.length }
      })
      assert.isAtMost(length, 5 * 262_144 + 16_384, `characters of ${name}`)
      // Spans with a look, and the blocks of lines.
      assert.isAtMost(elements, 16_384 + PAGE / 200 + 1, `elements of ${name}`)
    }
    assertNoFaults()
  })
})
