import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { toldError } from "../support/daemon/told-error.ts"
import { installation } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"
import { settled, settlesAs } from "../support/settled.ts"
import { restingCases } from "../support/suites/resting-cases.ts"
import { lapsed } from "../support/until.ts"
import { comparisons, lines, told } from "../support/workspace/comparisons.ts"
import { snapshots } from "../support/workspace/snapshots.ts"

// test/guest/workspace-compare.test.ts has the common cases, in `npm test`.
const pyro = installation("pyro-soak-compare-")
const { call, create, json, sh, step } = pyro
afterAll(pyro.close)
const { fork } = snapshots(pyro)
const compared = comparisons(pyro)
const { becomes, compare, leftovers, project, seed } = compared

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
    await create(["--name", "raced", "--seed-path", project])
    for (const delayMs of [100, 130, 160, 200]) {
      await json(["workspace", "fork", "raced", "--name", "gone"])
      await json(["workspace", "snapshot", "create", "gone", "s"])
      const compared = call(["workspace", "compare", "gone@s", "gone", "--json"])
      await lapsed(delayMs)
      await json(["workspace", "delete", "gone"])
      const { code, stdout } = await compared
      if (code !== 0) assert.include(["workspace_not_found", "workspace_not_ready"], toldError({ stdout }).code)
    }
  })
})

describe("snapshots, and workspaces that do not run", () => {
  restingCases(pyro, compared, { isEveryPair: true })
})
