import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { applyPatch } from "../../../../src/lib/patch/apply.ts"
import { parsePatch } from "../../../../src/lib/patch/parse.ts"
import { type Case, classes, makeCase, Random } from "./cases.ts"
import { formatPatch } from "./format-patch.ts"
import { changed, described, patchTree, readTree, type Tree, writeTree } from "./trees.ts"

const seed = Number(process.env["PYRO_TEST_SEED"] ?? 20_261_120)
const count = Number(process.env["PYRO_TEST_CASES"] ?? 1_000)
/** Each in this share of the cases at least. */
const SHARE = 0.05

const cases: ReadonlyArray<Case> = Array.from({ length: count }, (_, index) => makeCase(new Random(seed + index)))

/** The case in a folder of its own, so that one `git apply` takes them all. */
const beneath = (folder: string, { before, changes }: Case) => ({
  before: new Map(Array.from(before, ([at, side]) => [`${folder}/${at}`, side] as const)) as Tree,
  changes: changes.map((change) => ({
    ...change,
    path: Buffer.concat([Buffer.from(`${folder}/`), change.path]),
    from: change.from === undefined ? undefined : Buffer.concat([Buffer.from(`${folder}/`), change.from])
  }))
})

describe(`patches of ${count} generated cases (PYRO_TEST_SEED=${seed})`, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-patch-test-"))
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

  it("the generated patches have each class of edits often enough", () => {
    const rare = classes.flatMap((name) => {
      const share = cases.filter(({ has }) => has.has(name)).length / count
      return share < SHARE ? [`${name}: ${(100 * share).toFixed(1)} %`] : []
    })
    assert.deepStrictEqual(rare, [])
  })

  it("a patch that pyro applies to the baseline gives the edited tree", () => {
    for (const [index, { before, changes }] of cases.entries()) {
      const patch = formatPatch(changes)
      const plan = Effect.runSync(Effect.result(applyPatch(patchTree(before), parsePatch(patch))))
      const context = `case ${index}:\n${Buffer.from(patch).toString("latin1")}`
      if (plan._tag === "Failure") return assert.fail(`${plan.failure.message}\n${context}`)
      assert.deepStrictEqual(
        described(changed(before, plan.success.changes)),
        described(changed(before, changes)),
        context
      )
      assert.deepStrictEqual(plan.success.notes, [], context)
    }
  })

  it("a patch that git applies to the baseline gives the edited tree", { timeout: 120_000 }, () => {
    const env = {
      ...process.env,
      GIT_CEILING_DIRECTORIES: folder,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1"
    }
    const gitApply = (cwd: string, patch: Uint8Array) =>
      spawnSync("git", ["apply", "--whitespace=nowarn"], { cwd, env, input: patch, timeout: 60_000 })
    const batch = path.join(folder, "batch")
    fs.mkdirSync(batch)
    const moved = cases.map((one, index) => beneath(`c${index}`, one))
    for (const { before } of moved) writeTree(batch, before)
    const all = gitApply(batch, Buffer.concat(moved.map(({ changes }) => formatPatch(changes))))
    if (all.status !== 0) {
      for (const [index, { before, changes }] of cases.entries()) {
        const alone = path.join(folder, `alone${index}`)
        fs.mkdirSync(alone)
        writeTree(alone, before)
        const patch = formatPatch(changes)
        const one = gitApply(alone, patch)
        if (one.status === 0) continue
        assert.fail(`case ${index}: ${String(one.stderr)}\n${Buffer.from(patch).toString("latin1")}`)
      }
      assert.fail(`only together: ${String(all.stderr)}`)
    }
    const result = readTree(batch)
    for (const [index, { before, changes }] of moved.entries()) {
      const mine = new Map(Array.from(result).filter(([at]) => at.startsWith(`c${index}/`)))
      const context = `case ${index}:\n${Buffer.from(formatPatch(changes)).toString("latin1")}`
      assert.deepStrictEqual(described(mine), described(changed(before, changes)), context)
    }
  })
})
