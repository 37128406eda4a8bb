import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { collisionSuite } from "../support/suites/collision-suite.ts"

const pyro = installation("pyro-collisions-")
const { create, folder, json, sh, step } = pyro
afterAll(pyro.close)

interface Diff {
  readonly files: ReadonlyArray<{ readonly path: string; readonly status: string }>
}
const changed = async (name: string) =>
  (await json<Diff>(["workspace", "diff", name])).files.map(({ path, status }) => `${status} ${path}`)

describe("names that differ in case alone", () => {
  const seed = path.join(folder, "case")
  const names = { "Readme": "Readme\n", "README": "README\n", "a/x": "a\n", "A/x": "A\n", "ß": "s\n", "ẞ": "S\n" }
  beforeAll(async () => {
    for (const [name, content] of Object.entries(names)) {
      fs.mkdirSync(path.dirname(path.join(seed, name)), { recursive: true })
      fs.writeFileSync(path.join(seed, name), content)
    }
    await create(["--name", "case", "--seed-path", seed])
  })

  it("names that differ in case only are different files in seed, diff, patch, export and push", async () => {
    assert.strictEqual(await sh("case", "cat Readme README a/x A/x ß ẞ"), "Readme\nREADME\na\nA\ns\nS")
    assert.deepStrictEqual(await changed("case"), [])
    await sh("case", "echo 2 >> README; rm A/x; echo b > A/X; mv ß SS")
    const found = await changed("case")
    assert.deepStrictEqual(found, ["added A/X", "deleted A/x", "modified README", "renamed SS"])

    const patch = path.join(folder, "case.patch")
    await json(["workspace", "export", "case", "--patch", "--output", patch])
    const copy = path.join(folder, "copy")
    fs.cpSync(seed, copy, { recursive: true })
    execFileSync("git", ["apply", patch], { cwd: copy, env: { ...process.env, GIT_CEILING_DIRECTORIES: folder } })
    const output = path.join(folder, "exported")
    await json(["workspace", "export", "case", ".", "--output", output])
    execFileSync("diff", ["-r", copy, output])
    assert.strictEqual(fs.readFileSync(path.join(output, "Readme"), "utf8"), "Readme\n")
    assert.strictEqual(fs.readFileSync(path.join(output, "README"), "utf8"), "README\n2\n")

    await create(["--name", "patched", "--seed-path", seed])
    await json(["workspace", "patch", "apply", "patched", "--patch-file", patch])
    assert.deepStrictEqual(await changed("patched"), found)
    await step("reset", "patched")
    for (const name of ["Readme", "README"]) fs.appendFileSync(path.join(seed, name), "host\n")
    await json(["workspace", "sync", "push", "patched", seed])
    assert.strictEqual(await sh("patched", "cat Readme README"), "Readme\nhost\nREADME\nhost")
  })
})

collisionSuite(pyro, 1)
