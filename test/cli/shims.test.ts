import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"

const binary = buildFake()
/** The folder in which npm on Windows makes the command. */
const prefix = path.join(binary.folder, "prefix")

/** The part of npm that makes a command of a package on Windows: that of the npm which runs the tests. */
const cmdShim = createRequire(import.meta.url)(
  path.join(
    path.dirname(fs.realpathSync(execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim())),
    "../node_modules/cmd-shim"
  )
) as (from: string, to: string) => Promise<void>

const env = { ...process.env, ...binary.env, PATH: `${path.dirname(process.execPath)}:${process.env["PATH"]}` }
const read = (ending: string) => fs.readFileSync(path.join(prefix, `pyro${ending}`), "utf8")

describe("the command that npm makes of the package on Windows", () => {
  beforeAll(async () => {
    await cmdShim(binary.entry, path.join(prefix, "pyro"))
    fs.writeFileSync(
      path.join(binary.folder, "says.cjs"),
      "process.on('exit', () => console.log('variables: ' + JSON.stringify(Object.keys(process.env).filter((name) => !/^\\w+$/.test(name)))))"
    )
  })

  it("starts Node with this package's file, and Node takes no option behind it", () => {
    const target = path.relative(prefix, binary.entry)
    assert.include(read(".cmd"), `"%_prog%" -- "%dp0%\\${target.replaceAll("/", "\\")}" %*`)
    assert.match(read(".cmd"), /SET "_prog=node"/)
    assert.include(read(".ps1"), `& "node$exe" -- "$basedir/${target}" $args`)
    // No character of the first line means something to cmd.
    assert.notMatch(/^@SET (.*)\r$/m.exec(read(".cmd"))?.[1] ?? "&", /[&|<>^%()]/)
  })

  it("has a script for Git Bash that passes each word", () => {
    const words = ["a  b", "=x", "*", "$HOME", "--", "\\", "\""]
    const { status, stderr, stdout } = spawnSync(
      "sh",
      [path.join(prefix, "pyro"), "run", "debian:12", "--", "printf", "%s|", ...words],
      { encoding: "utf8", env, cwd: binary.folder }
    )
    assert.deepStrictEqual({ status, stderr, stdout }, {
      status: 0,
      stderr: "",
      stdout: words.map((word) => `${word}|`).join("")
    })
  })

  it("starts on Linux through a shell, and leaves no variable", () => {
    const { status, stdout } = spawnSync(binary.entry, ["run", "debian:12", "--", "printf", "%s|", "a  b", "--x"], {
      encoding: "utf8",
      env,
      cwd: binary.folder
    })
    assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: "a  b|--x|" })
    const named = spawnSync(binary.entry, ["--version"], {
      encoding: "utf8",
      env: { ...env, NODE_OPTIONS: `--require ${path.join(binary.folder, "says.cjs")}` },
      cwd: binary.folder
    })
    assert.include(named.stdout, "variables: []")
  })
})
