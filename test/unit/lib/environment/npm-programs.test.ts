import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { linkPrograms, scriptsOfNode } from "../../../../src/lib/environment/image/npm-programs.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

let prefix: string
let remove: () => void

beforeEach(() => ({ folder: prefix, remove } = temporaryFolder("pyro-npm-")))
afterEach(() => remove())

const made = (name: string, manifest: object, files: Readonly<Record<string, number>>) => {
  const folder = path.join(prefix, "lib/node_modules", name)
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name, ...manifest }))
  for (const [file, mode] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), "", { mode })
  return folder
}
const commands = () => {
  const folder = path.join(prefix, "bin")
  return fs.existsSync(folder)
    ? fs.readdirSync(folder).map((name) => [name, fs.readlinkSync(path.join(folder, name))])
    : []
}

describe("the commands of npm packages", () => {
  it("a package of one program has the program on the PATH, also without a name of its own for the command", () => {
    made("@scope/tool-linux-x64", {}, { tool: 0o755, "README.md": 0o644 })
    linkPrograms(prefix, ["@scope/tool-linux-x64"])
    assert.deepStrictEqual(commands(), [["tool", "../lib/node_modules/@scope/tool-linux-x64/tool"]])
    assert.isTrue(fs.existsSync(path.join(prefix, "bin/tool")))
  })

  it("a package that names its commands, has several programs or none is left to npm", () => {
    made("named", { bin: { named: "cli.js" } }, { program: 0o755 })
    made("folder", { directories: { bin: "bin" } }, { program: 0o755 })
    made("several", {}, { one: 0o755, two: 0o755 })
    made("none", {}, { "index.js": 0o644 })
    fs.symlinkSync("/bin/sh", path.join(made("link", {}, {}), "program"))
    made("odd", {}, { "-rf": 0o755 })
    linkPrograms(prefix, ["named", "folder", "several", "none", "link", "odd", "absent"])
    assert.deepStrictEqual(commands(), [])
  })

  it("a command that is there stays", () => {
    made("tool", {}, { node: 0o755 })
    fs.mkdirSync(path.join(prefix, "bin"))
    fs.symlinkSync("../lib/node_modules/node/bin/node", path.join(prefix, "bin/node"))
    linkPrograms(prefix, ["tool"])
    assert.deepStrictEqual(commands(), [["node", "../lib/node_modules/node/bin/node"]])
  })

  it("scripts of Node are told from other programs, and no file outside of the prefix is read", () => {
    const bin = path.join(prefix, "bin")
    fs.mkdirSync(bin)
    const lines = {
      env: "#!/usr/bin/env node",
      split: "#!/usr/bin/env -S node --no-warnings",
      direct: "#!/usr/local/bin/node",
      shell: "#!/bin/sh",
      nodejs: "#!/usr/bin/env nodemon",
      binary: "\u007fELF"
    }
    for (const [name, line] of Object.entries(lines)) {
      const file = path.join(made(name, {}, {}), "cli")
      fs.writeFileSync(file, `${line}\nnode\n`)
      fs.symlinkSync(path.relative(bin, file), path.join(bin, name))
    }
    const outside = `${prefix}-outside`
    fs.writeFileSync(outside, "#!/usr/bin/env node\n")
    fs.symlinkSync(outside, path.join(bin, "outside"))
    fs.symlinkSync("nowhere", path.join(bin, "dangling"))
    assert.sameMembers([...scriptsOfNode(prefix)], ["env", "split", "direct"])
    fs.rmSync(outside)
    assert.deepStrictEqual(scriptsOfNode(path.join(prefix, "none")), [])
  })
})
