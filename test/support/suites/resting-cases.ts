import * as fs from "node:fs"
import * as path from "node:path"
import { assert, it } from "vitest"
import type { Installation } from "../installation.ts"
import { settled, settlesAs } from "../settled.ts"
import { type Compared, type Comparisons, filesOf, lines, told } from "../workspace/comparisons.ts"
import { snapshots } from "../workspace/snapshots.ts"

/**
 * Comparisons and reads of snapshots and of workspaces that do not run. Each of them starts a microVM: `isEveryPair` adds the pairs and the
 * refusals beyond one of each kind.
 */
export const restingCases = (
  pyro: Installation,
  { compare, exported, leftovers, project, seed }: Comparisons,
  { isEveryPair = false } = {}
) => {
  const { create, failure, folder, json, sh, status, step } = pyro
  const { durable, fork, snapshot } = snapshots(pyro)

  it("compare reads a snapshot or a stopped workspace in a temporary VM without changes", async () => {
    await create(["--name", "w", "--seed-path", project])
    await sh("w", "echo first > file; head -c 40000000 /dev/urandom > large")
    await snapshot("w", "first")
    await durable("w", "first")
    await sh("w", "echo second >> file; rm README")
    await snapshot("w", "second")
    await durable("w", "second")
    await sh("w", "echo third > 'third file'")
    const before = await settled(leftovers)

    const running = await compare("w@first", "w")
    assert.deepStrictEqual(told(running), ["deleted README", "modified file", "added third file"])
    assert.deepStrictEqual(told(await compare("w@second", "w", "--verified")), ["added third file"])
    if (isEveryPair) {
      assert.deepStrictEqual(
        told(await compare("w", "w@first")),
        ["added README", "modified file", "deleted third file"]
      )
      assert.deepStrictEqual(told(await compare("w@fir", "w@s")), ["deleted README", "modified file"])
      for (const ref of ["w", "w@first", (await status("w")).id]) {
        assert.strictEqual((await compare(ref, ref === "w@first" ? ref : "w")).summary.files, 0)
      }
    }
    await settlesAs(leftovers, before)

    await fork("w", "--name", "v")
    await sh("v", "echo fourth > fourth")
    await step("stop", "w")
    const stopped = await settled(leftovers)
    assert.deepStrictEqual(await compare("w@first", "w"), running)
    assert.deepStrictEqual(told(await compare("w", "v")), ["added fourth"])
    if (isEveryPair) {
      await step("stop", "v")
      assert.deepStrictEqual(told(await compare("v", "w")), ["deleted fourth"])
      assert.deepStrictEqual(await compare("w@first", "w", "--verified").then(told), told(running))
    }
    assert.strictEqual((await status("w")).state, "stopped")
    assert.deepStrictEqual(leftovers().filter((line) => line.includes("compared")), [])
    assert.isAtMost((await settled(leftovers)).length, stopped.length)
    await step("start", "w")
    assert.strictEqual(await sh("w", "cat file 'third file'; echo on >> file"), "first\nsecond\nthird")
    assert.deepStrictEqual(told(await compare("v", "w")), ["modified file", "deleted fourth"])
  })

  it("a stopped workspace shows its diff, files and exports without a start", async () => {
    const tree = seed("stopped tree", { ".gitignore": "*.log\n", "README": "one\n", "src/main": lines(40) })
    await create(["--name", "r", "--seed-path", tree])
    await json(["workspace", "sync", "push", "r", seed("stopped push", { "pushed": "pushed\n" })])
    await sh(
      "r",
      "echo two > README; echo kept > src/new; echo x > x.log; ln -s /etc/debian_version out; ln -s ../../../disk/upper up"
    )
    const output = path.join(folder, "stopped.patch")
    const told = async () => ({
      diff: await json<Compared>(["workspace", "diff", "r"]),
      ...(isEveryPair && { verified: (await json<Compared>(["workspace", "diff", "r", "--verified"])).digest }),
      listed: await json(["workspace", "file", "list", "r", "--recursive"]),
      read: await json(["workspace", "file", "read", "r", "src/main", "--start-line", "3", "--line-count", "2"]),
      // In the guest's own root, not in that of the microVM that reads the disk.
      linked: (await json<{ readonly text: string }>(["workspace", "file", "read", "r", "out"])).text,
      exported: filesOf(await exported("r")),
      refusals: await Promise.all([
        failure(["workspace", "file", "read", "r", "up/etc/hostname"]),
        failure(["workspace", "export", "r", "out", "--output", path.join(folder, "none")]),
        ...(isEveryPair
          ? [
            failure(["workspace", "file", "read", "r", "none"]),
            failure(["workspace", "file", "list", "r", "../disk"])
          ]
          : [])
      ])
    })
    const running = await told()
    await step("stop", "r")
    const [before, status_] = [await settled(leftovers), await status("r")]
    assert.deepStrictEqual(await told(), running)
    await json(["workspace", "export", "r", "--patch", "--expect", running.diff.digest!, "--output", output])
    assert.strictEqual(fs.readFileSync(output, "utf8"), running.diff.patch)
    const unexpected = await failure([
      "workspace",
      "export",
      "r",
      "--patch",
      "--expect",
      "0".repeat(64),
      "--output",
      `${output}2`
    ])
    assert.strictEqual(unexpected.code, "export_refused")
    await settlesAs(leftovers, before)
    assert.deepStrictEqual(await status("r"), status_)
    const exec = await failure(["workspace", "exec", "r", "--", "true"])
    assert.deepInclude(exec, { code: "workspace_not_ready", state: "stopped" })
  })
}
