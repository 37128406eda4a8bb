import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, smallSizes } from "../support/installation.ts"
import { pyroPath, temporaryFolder } from "../support/pyro-cli.ts"
import { startSshd } from "../support/ssh/sshd.ts"

describe("an export from a machine that ssh reaches", () => {
  const here = installation("pyro-over-here-")
  const there = installation("pyro-over-there-")
  const { folder, remove } = temporaryFolder("pyro-over-ssh-")
  let sshd: Awaited<ReturnType<typeof startSshd>>
  let env: Readonly<Record<string, string>>
  const server = ["env", ...Object.entries(there.env).map(([name, value]) => `${name}=${value}`)]
  const command = [...server, process.execPath, pyroPath].join(" ")
  const onBench = (args: ReadonlyArray<string>, more: object = {}) =>
    here.call(["--context", "bench", ...args], { env, ...more })
  const ok = async (args: ReadonlyArray<string>, more: object = {}) => {
    const { code, stderr, stdout } = await onBench(args, more)
    assert.strictEqual(code, 0, stderr)
    return { stderr, stdout: stdout.toString() }
  }
  const sh = async (script: string) => (await ok(["exec", "fix", "--", "sh", "-ec", script])).stdout.trim()
  const out = (name: string) => path.join(folder, "out", name)
  beforeAll(async () => {
    sshd = await startSshd(folder)
    env = { PATH: `${sshd.bin}:${process.env["PATH"]}` }
    fs.mkdirSync(path.join(folder, "out"))
    await here.json(["context", "add", "bench", "ssh://bench", "--command", command], { env })
    await ok(["create", "--name", "fix", ...smallSizes])
    await sh(
      "mkdir -p src/deep; echo one > src/one; echo two > src/deep/two; chmod 755 src/one; ln -s one src/link; cd src; mkfifo pipe"
    )
  })
  afterAll(async () => {
    await there.close()
    await sshd.stop()
    await here.close()
    remove()
  })

  it("writes files and directories here, and nothing there", async () => {
    await ok(["export", "fix", "src", "--output", out("src")])
    assert.strictEqual(fs.readFileSync(out("src/deep/two"), "utf8"), "two\n")
    assert.strictEqual(fs.readlinkSync(out("src/link")), "one")
    assert.strictEqual(fs.statSync(out("src/one")).mode & 0o777, 0o755)
  })
})
