import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

const { close, create, env, failure, json, sh } = installation("pyro-budget-", { cache: "own" })
afterAll(close)

interface Usage {
  readonly disk: {
    readonly used_bytes: number
    readonly budget_bytes?: number
    readonly evictable_bytes: number
    readonly uses: ReadonlyArray<{ readonly what: string; readonly bytes: number }>
    readonly workspaces: ReadonlyArray<{ readonly workspace: string; readonly bytes: number }>
  }
}

const MIB = 1024 * 1024
const small = (budgetMib: number) => ({ env: { PYRO_DISK_BUDGET_MIB: String(budgetMib) } })

describe("the disk of a host", () => {
  it(
    "daemon status shows what each workspace takes, gc evicts the oldest cache, and a full budget refuses a create",
    async () => {
      const { id } = await create(["--name", "large"])
      await sh("large", "head -c 30000000 /dev/urandom > data; sync")
      const { disk } = await json<Usage>(["daemon", "status"])
      assert.isAbove(disk.workspaces.find(({ workspace }) => workspace === id)?.bytes ?? 0, 30_000_000)
      assert.includeMembers(disk.uses.map(({ what }) => what), ["templates", "workspaces"])

      const old = path.join(env["PYRO_CACHE_DIR"]!, "templates", "old")
      fs.mkdirSync(old)
      fs.writeFileSync(path.join(old, "mem"), Buffer.alloc(8 * MIB, 1))
      fs.utimesSync(old, 1, 1)
      const usedMib = Math.ceil((await json<Usage>(["daemon", "status"])).disk.used_bytes / MIB)
      const swept = await json<Usage & { readonly removed: ReadonlyArray<{ readonly what: string }> }>(
        ["gc"],
        small(usedMib - 4)
      )
      assert.deepStrictEqual(swept.removed.map(({ what }) => what), ["old"])
      assert.strictEqual(swept.disk.budget_bytes, (usedMib - 4) * MIB)
      assert.isFalse(fs.existsSync(old))
      assert.strictEqual(
        (await json<{ readonly removed: ReadonlyArray<unknown> }>(["gc"], small(usedMib))).removed.length,
        0
      )

      await json(["daemon", "stop"])
      assert.deepInclude(await failure(["workspace", "create", "--name", "refused"], small(1)), {
        code: "no_space",
        where: "disk budget (PYRO_DISK_BUDGET_MIB)"
      })
      // The workspaces that are there work on.
      assert.strictEqual(await sh("large", "stat -c %s data"), "30000000")
    },
    300_000
  )
})
