import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

describe("pyro prepare", () => {
  // It finds the accelerator itself, as nothing is known of the host in its cache.
  const pyro = installation("pyro-prepare-", {
    cache: "own",
    env: { PYRO_ACCELERATOR: process.env["PYRO_ACCELERATOR"] ?? "" }
  })
  const template = /preparing a template/
  afterAll(() => pyro.close())

  /** Whether pyro boots a kernel on KVM to learn whether one boots. */
  const triesKvm = () => {
    if (process.env["PYRO_ACCELERATOR"] !== undefined) return false
    try {
      fs.closeSync(fs.openSync("/dev/kvm", "r+"))
      return true
    } catch {
      return false
    }
  }

  it("makes what the first workspace needs, and leaves no workspace", async () => {
    const first = await pyro.call(["prepare", "debian:12"])
    assert.strictEqual(first.code, 0, first.stderr)
    const told = first.stderr.split("\n").filter((line) => template.test(line))
    assert.deepStrictEqual(told, [
      "pyro: preparing a template of empty workspaces (once for this environment and size)",
      "pyro: preparing a template of workspaces with files (once for this environment and size)"
    ], first.stderr)
    assert.strictEqual(/^pyro: trying KVM \(once; /m.test(first.stderr), triesKvm(), first.stderr)
    assert.match(first.stdout.toString(), /^debian:12 is ready\n/)
    assert.isEmpty(await pyro.list())
    assert.isEmpty(fs.readdirSync(path.join(pyro.state, "workspaces")).filter((name) => name.startsWith("ws-")))
    const tree = path.dirname(pyro.state)
    fs.writeFileSync(path.join(tree, "file"), "")
    for (const args of [["workspace", "create"], ["workspace", "create", "--seed-path", tree], ["run", "--", "true"]]) {
      const { code, stderr } = await pyro.call(args)
      assert.strictEqual(code, 0, stderr)
      assert.notMatch(stderr, template, args.join(" "))
    }
  })

  it("an unknown environment is refused before anything is made", async () => {
    assert.deepInclude(await pyro.failure(["prepare", "debian:0"]), {
      code: "environment_unknown",
      environment: "debian:0"
    })
  })
})
