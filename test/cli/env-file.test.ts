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

describe("--env-file, which Node takes from all words before the first --", () => {
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
