import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { temporaryFolder } from "../../support/pyro-cli.ts"

interface Folders {
  readonly pages: ReadonlyArray<{ readonly page: string; readonly text: string }>
  readonly problems: ReadonlyArray<string>
}

const root = path.resolve(import.meta.dirname, "../../..")
const { folders } = await import(path.join(root, "scripts/docs/folders.mjs")) as { folders: (root: string) => Folders }

const rules = `const tables = {
  may: { contract: [], "lib/disk": ["contract"], "lib/vm": ["contract", "lib/disk"], cli: ["contract", "lib/vm"] },
  rooms: { cli: { rows: [], help: ["rows"] } }
}
module.exports = Object.defineProperty({}, "tables", { value: tables })`
const imports = "- **May import:** x\n- **May be imported by:** x\n"
const libraries = "| library | content | may import |\n|---|---|---|\n| [disk](disk) | a | x |\n| `vm/` | b | x |\n"
const rooms = "| room | content | may import |\n|---|---|---|\n| `rows/` | a | x |\n| `help/` | b | x |\n"
const whole = {
  ".dependency-cruiser.cjs": rules,
  "docs/architecture.md": "# pyro\n",
  "src/contract/README.md": imports,
  "src/lib/README.md": `${imports}${libraries}`,
  "src/lib/disk/README.md": imports,
  "src/lib/vm/README.md": imports,
  "src/cli/README.md": `${imports}\n${rooms}\nend\n`
}

/** The pages and problems of a repository of these files. */
const foldersOf = (files: Readonly<Record<string, string>>): Folders => {
  const { folder, remove } = temporaryFolder("pyro-folders-")
  try {
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
      fs.writeFileSync(path.join(folder, name), text)
    }
    return folders(folder)
  } finally {
    remove()
  }
}

const textOf = ({ pages }: Folders, page: string) => pages.find((one) => one.page === page)?.text

describe("the READMEs of the folders of src", () => {
  it("the READMEs of this repository are complete, short and in step with the import rules", () => {
    const { pages, problems } = folders(root)
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(
      pages.filter(({ page, text }) => fs.readFileSync(path.join(root, page), "utf8") !== text),
      []
    )
    assert.isAbove(pages.length, 25)
  })

  it("a README shows the imports of its folder, its importers and the imports of its rooms", () => {
    const found = foldersOf(whole)
    assert.deepStrictEqual(found.problems, [])
    assert.strictEqual(
      textOf(found, "src/cli/README.md"),
      "- **May import:** contract, lib/vm.\n- **May be imported by:** no other folder.\n\n" +
        "| room | content | may import |\n|---|---|---|\n| `rows/` | a | - |\n| `help/` | b | rows |\n\nend\n"
    )
    assert.strictEqual(
      textOf(found, "src/lib/README.md"),
      "- **May import:** contract.\n- **May be imported by:** cli.\n" +
        "| library | content | may import |\n|---|---|---|\n| [disk](disk) | a | - |\n| `vm/` | b | disk |\n"
    )
    assert.strictEqual(
      textOf(found, "src/contract/README.md"),
      "- **May import:** no other folder.\n- **May be imported by:** cli, every library.\n"
    )
  })

  it("a folder without a README is named", () => {
    const { "src/cli/README.md": _, "src/lib/vm/README.md": __, ...rest } = whole
    assert.deepStrictEqual(foldersOf({ ...rest, "src/cli/main.ts": "" }).problems, [
      "src/cli has no README.md",
      "src/lib/vm has no README.md"
    ])
    assert.deepStrictEqual(foldersOf({ ...whole, "src/other/app.ts": "" }).problems, ["src/other has no README.md"])
  })

  it("a program outside of src is an importer of its folders, and has a README", () => {
    const ends = rules.replace("  rooms:", "  ends: { \"apps/web\": [\"contract\"] },\n  rooms:")
    const found = foldersOf({ ...whole, ".dependency-cruiser.cjs": ends })
    assert.deepStrictEqual(found.problems, ["apps/web has no README.md"])
    assert.include(textOf(found, "src/contract/README.md"), "- **May be imported by:** cli, apps/web, every library.")
    assert.notInclude(textOf(found, "src/cli/README.md"), "apps/web")
  })

  it("a README without a line about imports, or with other rooms than the rules, is named", () => {
    const { problems } = foldersOf({
      ...whole,
      "src/contract/README.md": "- **May import:** x\n",
      "src/cli/README.md": `${imports}\n${rooms.replace("help", "views")}`
    })
    assert.lengthOf(problems, 3)
    assert.include(problems[0], "src/cli/README.md has no row for help")
    assert.include(problems[1], "src/cli/README.md has a row for views")
    assert.include(problems[2], "src/contract/README.md has no line")
  })

  it("a README of more than 400 words and an overview of more than 2,000 words are named", () => {
    const words = (count: number) => "word ".repeat(count)
    assert.deepStrictEqual(
      foldersOf({
        ...whole,
        "native/README.md": words(401),
        "src/contract/README.md": `${imports}${words(400)}`,
        "docs/architecture.md": words(2_001)
      }).problems.map((problem) => problem.replace(/has \d+/, "has N")),
      [
        "native/README.md has N words: at most 400",
        "src/contract/README.md has N words: at most 400",
        "docs/architecture.md has N words: at most 2000"
      ]
    )
    assert.deepStrictEqual(foldersOf({ ...whole, "src/contract/README.md": `${imports}${words(380)}` }).problems, [])
  })
})
