import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const root = path.resolve(import.meta.dirname, "../../..")

/** What `npm run types` says of a module, by the options of this project. */
const check = (text: string) => {
  const { folder, remove } = temporaryFolder("pyro-types-")
  try {
    fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"))
    fs.writeFileSync(path.join(folder, "module.mts"), `import { Effect } from "effect"\n${text}\n`)
    const project = path.join(folder, "tsconfig.json")
    fs.writeFileSync(project, JSON.stringify({ extends: path.join(root, "tsconfig.json"), include: ["module.mts"] }))
    const scripts = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
      readonly scripts: { readonly types: string }
    }
    const [program = ""] = scripts.scripts.types.split(" ")
    const { status, stdout } = spawnSync(path.join(root, program), ["--noEmit", "--project", project], {
      cwd: folder,
      encoding: "utf8"
    })
    return { status, codes: stdout.match(/\bTS\d+\b|\beffect\(\w+\)/g) ?? [] }
  } finally {
    remove()
  }
}

describe("the check of types", () => {
  it("a floating effect is an error", () => {
    assert.deepStrictEqual(check("export const run = () => { Effect.log(1) }"), {
      status: 1,
      codes: ["TS377001", "effect(floatingEffect)"]
    })
    assert.deepStrictEqual(check("export const run = () => Effect.log(1)"), { status: 0, codes: [] })
  })

  it("a value of another type is an error", () => {
    assert.deepStrictEqual(check("export const name: string = Effect.void"), { status: 1, codes: ["TS2322"] })
  })
})
