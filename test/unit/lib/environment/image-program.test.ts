import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { IMAGE_COMMAND, imageInput } from "../../../../src/lib/environment/model/image-builder.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-image-program-")
afterAll(remove)

const root = path.join(import.meta.dirname, "../../../..")
const { imageProgram } = await import(path.join(root, "scripts/build/image-program.mjs")) as {
  readonly imageProgram: (root: string) => Buffer
}
const program = imageProgram(root)

describe("the program of builders", () => {
  it("has every module of rootfs/image, as an archive that Python's own reader finds whole", () => {
    const file = path.join(folder, "image.pyz")
    fs.writeFileSync(file, program)
    const listed = execFileSync("python3", ["-m", "zipfile", "--list", file], { encoding: "utf8" })
    const modules = fs.readdirSync(path.join(root, "rootfs/image/pyro_image")).filter((name) => name.endsWith(".py"))
    for (const name of modules) assert.include(listed, `pyro_image/${name} `)
    assert.include(execFileSync("python3", ["-m", "zipfile", "--test", file], { encoding: "utf8" }), "Done testing")
  })

  it("is the same bytes when the same sources have other times", () => {
    const copy = path.join(folder, "copy/rootfs/image")
    fs.cpSync(path.join(root, "rootfs/image"), copy, { recursive: true })
    fs.mkdirSync(path.join(copy, "pyro_image/__pycache__"), { recursive: true })
    fs.writeFileSync(path.join(copy, "pyro_image/__pycache__/image.pyc"), "")
    for (const name of fs.readdirSync(path.join(copy, "pyro_image"))) {
      fs.utimesSync(path.join(copy, "pyro_image", name), 1, 1)
    }
    assert.isTrue(program.equals(imageProgram(path.join(folder, "copy"))))
  })

  it("runs as a builder runs it, and answers its request in lines of JSON", () => {
    const [command, ...args] = IMAGE_COMMAND
    // A request that names nothing: the program must not look for a builder's files here.
    const lines = execFileSync(command!, args, {
      input: imageInput(program, []),
      encoding: "utf8",
      cwd: folder
    }).trimEnd().split("\n")
    assert.strictEqual(JSON.parse(lines.at(-1)!)._tag, "Refused")
  })
})
