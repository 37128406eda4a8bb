import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"

const binary = buildFake()
const folder = path.join(binary.folder, "repository")
fs.mkdirSync(folder)

/** What the command prints, started by its own first line as a shell starts it. */
const started = (...args: ReadonlyArray<string>) => {
  const env = { ...process.env, ...binary.env, PATH: `${path.dirname(process.execPath)}:${process.env["PATH"]}` }
  const { error, status, stderr, stdout } = spawnSync(binary.entry, args, { cwd: folder, encoding: "utf8", env })
  assert.isUndefined(error)
  return { status, stderr, stdout }
}

describe("options that Node takes from the words behind its program", () => {
  it("a guest's command has it, whether the host has the file or not, and the file sets nothing on the host", () => {
    const line = ["workspace", "exec", "nobody", "node", "--env-file=.env", "app.js"]
    const without = started(...line)
    assert.match(without.stderr, /^pyro: .*nobody/)
    fs.writeFileSync(path.join(folder, "evil.cjs"), `require("fs").writeFileSync("${folder}/ran", "")`)
    fs.writeFileSync(
      path.join(folder, ".env"),
      `NODE_OPTIONS="--require ${folder}/evil.cjs"\nPYRO_STATE_DIR=/nowhere\n`
    )
    assert.deepStrictEqual(started(...line), without)
    assert.isFalse(fs.existsSync(path.join(folder, "ran")))
  })

  it.each([
    "--experimental-default-config-file",
    "--experimental-config-file=node.config.json",
    "--experimental-config-file"
  ])(
    "a guest's command has %s, and the host's file sets nothing on the host",
    (option) => {
      const mark = path.join(folder, "configured")
      fs.writeFileSync(path.join(folder, "configures.cjs"), `require("fs").writeFileSync("${mark}", "")`)
      const nodeOptions = { require: [path.join(folder, "configures.cjs")] }
      fs.writeFileSync(path.join(folder, "node.config.json"), JSON.stringify({ nodeOptions }))
      const { status, stderr } = started("workspace", "exec", "nobody", "--", "node", option, "node.config.json")
      assert.match(stderr, /^pyro: .*nobody/)
      assert.strictEqual(status, 125)
      assert.isFalse(fs.existsSync(mark))
    }
  )

  it("a command line with such a word reaches the guest as it was typed", () => {
    const words = ["a  b", "=", "", "=x", "--experimental-config-file=x y", "*", "$HOME", "--", "\n"]
    const { status, stdout } = started("run", "debian:12", "--", "printf", "%s|", ...words)
    assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: words.map((word) => `${word}|`).join("") })
  })

  it.each([
    [["workspace", "exec", "nobody", "--env-file", "nofile", "--", "env"]],
    [["run", "--env-file", "nofile", "debian:12", "env"]]
  ])("pyro %j says how variables are given", (line) => {
    const { status, stderr } = started(...line)
    assert.strictEqual(status, 2)
    assert.include(stderr, "Give each variable as --env NAME=VALUE")
  })

  it("before the command, it is told where it stands", () => {
    const { status, stderr } = started("--env-file", "nofile", "workspace", "exec", "nobody", "--", "env")
    assert.strictEqual(status, 2)
    assert.include(stderr, `no command "nofile". If it is the value of --env-file, put both behind the command`)
  })
})
