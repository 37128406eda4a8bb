import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"

describe("pyro demo", () => {
  const pyro = installation("pyro-demo-")
  afterAll(() => pyro.close())

  it("tells its story in a real guest, and leaves no workspace", async () => {
    const { code, stderr, stdout } = await pyro.call(["demo"])
    assert.strictEqual(code, 0, stderr)
    const told = stdout.toString()
    assert.match(stderr, /web is ready after/)
    const parts = [
      /# step 1 of 16: .*\n\$ pyro create --name demo-[0-9a-f]{4}\n/,
      /\(exit status 1\)\n/,
      /--old-text 'a - b' --new-text 'a \+ b'\n/,
      /test\.py\npassed\n/,
      /demo-[0-9a-f]{4} rm -rf \/usr /,
      /demo-[0-9a-f]{4} ls\n\(exit status 127\)/,
      /reset demo-[0-9a-f]{4} --snapshot green\n/,
      /test\.py\npassed\n/,
      /\+def double\(a\)/,
      /service start/,
      /\+    return a \+ b\n/,
      /deleted demo-[0-9a-f]{4}\ndeleted demo-[0-9a-f]{4}-copy\n/,
      /Your own:\n/
    ]
    let left = told
    for (const part of parts) {
      const found = part.exec(left)
      assert.isNotNull(found, `${part} in ${left}`)
      left = left.slice(found.index + found[0].length)
    }
    assert.isEmpty(await pyro.list())
  })

  it("Ctrl-C in the middle leaves no workspace", async () => {
    const { child, finished, stdoutSoFar } = startPyro(["demo"], { env: pyro.env })
    await until("the snapshot's step", () => stdoutSoFar().includes("snapshot create"))
    child.kill("SIGINT")
    await finished
    assert.isEmpty(await pyro.list())
  })
})
