import * as fs from "node:fs"
import * as path from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { afterAll, assert, describe, it } from "vitest"
import { type Compared, comparisons, filesOf, lines, told } from "../support/comparisons.ts"
import { installation } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"
import { settled, settlesAs } from "../support/settled.ts"
import { snapshots } from "../support/snapshots.ts"
import { toldError } from "../support/told-error.ts"

// test/guest/workspace-compare.test.ts has the common cases, in `npm test`.
const pyro = installation("pyro-soak-compare-")
const { call, create, failure, folder, json, sh, status, step } = pyro
afterAll(pyro.close)
const { durable, fork, snapshot } = snapshots(pyro)
const { becomes, compare, exported, leftovers, project, seed } = comparisons(pyro)

describe("workspaces that began differently", () => {
  it("workspaces with different seeds are compared by all files, whatever their sizes", async () => {
    const other = seed("other", {
      ".gitignore": "build/\n",
      "README": "two\n",
      "src/main": lines(40),
      "src/tool": "#!/bin/sh\n",
      "src/new name": lines(30),
      "only/here": "x\n",
      "kept.log": "of the beginning\n"
    })
    fs.chmodSync(path.join(other, "src/tool"), 0o755)
    fs.utimesSync(path.join(other, "src/main"), 1, 1)
    await create(["--name", "p", "--seed-path", project, "--mem-mib", "256", "--disk-mib", "512"])
    await create(["--name", "q", "--seed-path", other, "--mem-mib", "256", "--disk-mib", "256"])
    const untouched = await compare("p", "q")
    assert.deepStrictEqual(told(untouched), [
      "modified .gitignore",
      "modified README",
      "deleted gone",
      "added kept.log",
      "added only/here",
      "renamed src/new name",
      "modified src/tool",
      "deleted was a file"
    ])
    await becomes("p", "q", untouched.patch!)
    await sh("p", "echo two > README; rm gone; echo more >> src/main; echo generated > kept.log; echo x > new.log")
    await sh("q", "rm -r only; echo same > src/same")
    await sh("p", "echo same > src/same")
    const changed = await compare("p", "q")
    assert.deepStrictEqual(told(changed), [
      "modified .gitignore",
      "modified kept.log",
      "modified src/main",
      "renamed src/new name",
      "modified src/tool",
      "deleted was a file"
    ])
    assert.strictEqual(changed.ignored_count, 1)
    await step("stop", "p")
    assert.deepStrictEqual(await compare("p", "q"), changed)
  })
})

describe("a comparison that is given up", () => {
  it("a cancelled comparison leaves nothing and releases the workspace", async () => {
    await create(["--name", "slow", "--seed-path", project])
    await fork("slow", "--name", "other")
    // Nothing on the disk, and minutes to be read.
    for (const name of ["slow", "other"]) await sh(name, "truncate -s 60G sparse")
    await step("stop", "slow")
    const before = await settled(leftovers)
    const given = startPyro(["workspace", "compare", "slow", "other", "--verified"], { env: pyro.env })
    const inspectors = async () => (await pyro.daemon()).vms.filter(({ purpose }) => purpose === "inspector").length
    await until("an inspector reads it", async () => await inspectors() === 1)
    const starting = step("start", "slow")
    given.child.kill("SIGINT")
    assert.strictEqual((await given.finished).signal, "SIGINT")
    assert.strictEqual((await starting).state, "running")
    await until("the inspector is gone", async () => await inspectors() === 0)
    await settlesAs(leftovers, before)
  })
})

describe("a comparison whose workspace is deleted", () => {
  it("a comparison that races a delete reports the delete and no damaged image", async () => {
    await create(["--name", "w", "--seed-path", project])
    for (const delayMs of [100, 130, 160, 200]) {
      await json(["workspace", "fork", "w", "--name", "gone"])
      await json(["workspace", "snapshot", "create", "gone", "s"])
      const compared = call(["workspace", "compare", "gone@s", "gone", "--json"])
      await wait(delayMs)
      await json(["workspace", "delete", "gone"])
      const { code, stdout } = await compared
      if (code !== 0) assert.include(["workspace_not_found", "workspace_not_ready"], toldError({ stdout }).code)
    }
  })
})

describe("snapshots, and workspaces that do not run", () => {
  it("compare reads any pair of snapshots, running and stopped workspaces without changes", async () => {
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
    assert.deepStrictEqual(told(await compare("w", "w@first")), ["added README", "modified file", "deleted third file"])
    assert.deepStrictEqual(told(await compare("w@fir", "w@s")), ["deleted README", "modified file"])
    assert.deepStrictEqual(told(await compare("w@second", "w", "--verified")), ["added third file"])
    for (const ref of ["w", "w@first", (await status("w")).id]) {
      assert.strictEqual((await compare(ref, ref === "w@first" ? ref : "w")).summary.files, 0)
    }
    await settlesAs(leftovers, before)

    await fork("w", "--name", "v")
    await sh("v", "echo fourth > fourth")
    await step("stop", "w")
    const stopped = await settled(leftovers)
    assert.deepStrictEqual(await compare("w@first", "w"), running)
    assert.deepStrictEqual(told(await compare("w", "v")), ["added fourth"])
    await step("stop", "v")
    assert.deepStrictEqual(told(await compare("v", "w")), ["deleted fourth"])
    assert.deepStrictEqual(await compare("w@first", "w", "--verified").then(told), told(running))
    assert.strictEqual((await status("w")).state, "stopped")
    assert.deepStrictEqual(leftovers().filter((line) => line.includes("compared")), [])
    assert.isAtMost((await settled(leftovers)).length, stopped.length)
    await step("start", "w")
    assert.strictEqual(await sh("w", "cat file 'third file'; echo on >> file"), "first\nsecond\nthird")
    assert.deepStrictEqual(told(await compare("v", "w")), ["modified file", "deleted fourth"])
  })

  it("a stopped workspace shows each read, and each refusal, without a start", async () => {
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
      verified: (await json<Compared>(["workspace", "diff", "r", "--verified"])).digest,
      listed: await json(["workspace", "file", "list", "r", "--recursive"]),
      read: await json(["workspace", "file", "read", "r", "src/main", "--start-line", "3", "--line-count", "2"]),
      // In the guest's own root, not in that of the microVM that reads the disk.
      linked: (await json<{ readonly text: string }>(["workspace", "file", "read", "r", "out"])).text,
      exported: filesOf(await exported("r")),
      refusals: await Promise.all([
        failure(["workspace", "file", "read", "r", "up/etc/hostname"]),
        failure(["workspace", "file", "read", "r", "none"]),
        failure(["workspace", "file", "list", "r", "../disk"]),
        failure(["workspace", "export", "r", "out", "--output", path.join(folder, "none")])
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
})
