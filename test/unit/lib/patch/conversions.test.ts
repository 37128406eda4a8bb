import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { temporaryFolder } from "../../../support/pyro-cli.ts"
import { applied, lines, rejects } from "./plan.ts"
import { file } from "./trees.ts"

const { folder, remove } = temporaryFolder("pyro-conversions-")
afterAll(remove)

/** A file with these bytes. */
const f = (content: string) => ({ f: file(Buffer.from(content, "latin1")) })

const bytes = (text: string, order: "le" | "be" = "le") => {
  const made = Buffer.from(text, "utf16le")
  return (order === "be" ? made.swap16() : made).toString("latin1")
}

/** A patch of git for a file with these attributes, and the file of the work tree before and after. */
const gitPatch = (name: string, attributes: string, before: string, edit: (text: string) => string) => {
  const root = path.join(folder, name)
  const git = (...words: ReadonlyArray<string>) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...words], {
      cwd: root,
      encoding: "latin1",
      env: { PATH: process.env["PATH"], HOME: root }
    })
  fs.mkdirSync(root)
  git("init", "-q", ".")
  const file = path.join(root, "f")
  fs.writeFileSync(path.join(root, ".gitattributes"), attributes)
  fs.writeFileSync(file, before, "latin1")
  git("add", "-A")
  git("commit", "-qm", "one")
  fs.rmSync(file)
  git("checkout", "f")
  const from = fs.readFileSync(file, "latin1")
  fs.writeFileSync(file, edit(from), "latin1")
  return { patch: git("diff"), from, to: edit(from) }
}

describe("a patch of a file that git converts", () => {
  for (
    const [name, encoding, text] of [
      ["marked", "UTF-16", bytes("\uFEFFone\r\ntwo ä\r\nthree\r\n")],
      ["big", "UTF-16BE", bytes("one\ntwo ä\nthree\n", "be")],
      ["little", "UTF-16LE", bytes("one\ntwo ä\nthree\n")],
      ["kept", "UTF-16LE-BOM", bytes("\uFEFFone\ntwo ä\nthree\n")]
    ] as const
  ) {
    it(`applies to a file in ${encoding}, which keeps its encoding`, () => {
      const order = name === "big" ? "be" : "le"
      const { from, patch, to } = gitPatch(
        name,
        `f text working-tree-encoding=${encoding}\n`,
        text,
        (before) => before.replace(bytes("two ä", order), bytes("2 €", order))
      )
      assert.include(Buffer.from(patch, "latin1").toString(), "+2 €")
      assert.deepStrictEqual(applied(f(from), Buffer.from(patch, "latin1")), { f: to })
    })
  }

  it("applies to a file with $Id$, whose expansion stays", () => {
    const { from, patch, to } = gitPatch(
      "ident",
      "f ident\n",
      "# $Id$\none\ntwo\n",
      (before) => before.replace("one", "1")
    )
    assert.match(from, /\$Id: [0-9a-f]{40} \$/)
    assert.include(patch, " # $Id$")
    assert.deepStrictEqual(applied(f(from), Buffer.from(patch, "latin1")), { f: to })
    // A patch of the work tree itself, for the file as another checkout has it.
    const other = patch.replace("$Id$", "$Id: 1234 $")
    assert.deepStrictEqual(applied({ f: from }, other), { f: to })
    assert.deepStrictEqual(applied({ f: "# $Id$\none\ntwo\n" }, other), { f: "# $Id$\n1\ntwo\n" })
  })

  it("is refused with the line as text, and not at all where the bytes are none of these", () => {
    const patch = lines("--- a/f", "+++ b/f", "@@ -1 +1 @@", "-x", "+y")
    assert.deepStrictEqual(rejects(f(bytes("\uFEFFone\n")), patch), ["f 1: line 1 is \"one\", where it has \"x\""])
    for (const content of ["a\0", "\xff\xfe\0\xd8", "\xff\xfex", "$Id: 1 $ $Id: 2 $\n"]) {
      assert.lengthOf(rejects(f(content), patch), 1)
    }
    // A byte that is no UTF-8 has no form in UTF-16.
    const broken = Buffer.from(patch.replace("+y", "+\xff"), "latin1")
    assert.throws(() => applied(f(bytes("x\n")), broken))
  })
})
