import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import { withChildren } from "../../../src/system/processes/identity.ts"
import { until } from "../pyro-cli.ts"
import { points, pointsOf } from "./fault-points.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import { rewindSteps } from "./rewind-steps.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"
import type { Operation } from "./workspaces-process.ts"

const FIRST = "old\n".repeat(1_999)
const OLD = `${FIRST}last\n`
const NEW = `${FIRST}new\n`

/** Operations that make the new text of the old one, and their words in the history. */
const EDITS: ReadonlyArray<readonly [operation: Operation, payload: object, command: string]> = [
  ["file-write", { path: "notes", text: NEW }, "pyro file write notes"],
  ["file-edit", { path: "notes", old_text: "last\n", new_text: "new\n" }, "pyro file edit notes"],
  ["patch-apply", { patch: "--- a/notes\n+++ b/notes\n@@ -2000 +2000 @@\n-last\n+new\n" }, "pyro patch apply"]
]

/** Crashes in the middle of an operation that changes files: it is whole or did not happen, and a rewind undoes it. */
export const editFaultSuite = (name: string, driver: LifecycleDriver) =>
  describe(`a process that is killed in an edit, over ${name}`, { concurrent: false }, () => {
    let client: WorkspacesClient
    const known = operations(() => client)
    const { call, create, sh, status, vmProcess } = known
    const { history, rewind, step } = rewindSteps(known)
    const text = () => sh("w", "cat notes; ls -A")
    const [untouched, whole] = [`${OLD}notes`, `${NEW}notes`]

    beforeAll(async () => {
      client = await driver.open()
      client.setForNext("PYRO_REWIND_MIB", "2048")
      client.setForNext("PYRO_REWIND_EVERY_MS", "0")
    })
    afterEach(() => call("delete", { workspaces: [], all: true }))
    afterAll(() => driver.close(client))

    const begin = async () => {
      await create("w")
      await call("file-write", { workspace: "w", path: "notes", text: OLD })
      await step("w", "true > /dev/null")
    }

    /** The edit is the last step, and a rewind and its redo take it back and forth as it was found. */
    const isOneStep = async (command: string, found: string) => {
      const last = (await history("w")).commands.at(-2)!
      assert.deepStrictEqual([last.command, last.outcome, last.undone], [command, "lost", false])
      assert.isDefined(last.point)
      const { redo, undone } = await rewind("w", { before: last.execId })
      assert.strictEqual(undone[0]!.command, command)
      assert.strictEqual(await text(), untouched)
      await rewind("w", { to: redo })
      assert.strictEqual(await text(), found)
    }

    for (const [operation, payload, command] of EDITS) {
      it.each(pointsOf("edit"))(`a process killed at %s of ${operation} leaves a whole edit or none`, async (point) => {
        await begin()
        await client.killedAt(point, operation, { workspace: "w", ...payload })
        const found = points[point] === "after" ? whole : untouched
        assert.strictEqual(await text(), found)
        await isOneStep(command, found)
      })

      it(`a process killed while the guest has yet to do ${operation} leaves a whole edit or none`, async () => {
        await begin()
        const { id } = await status("w")
        const guest = withChildren(vmProcess(id))
        for (const pid of guest) process.kill(pid, "SIGSTOP")
        const failed = call(operation, { workspace: "w", ...payload }).then(() => "done", () => "failed")
        const journal = path.join(client.state, "workspaces", id, "commands.jsonl")
        try {
          // The first one has written the old text.
          await until(
            "the step in the journal",
            () => Promise.resolve(fs.readFileSync(journal, "utf8").split(`"edits":true`).length === 3)
          )
          await client.kill()
        } finally {
          for (const pid of guest) process.kill(pid, "SIGCONT")
        }
        assert.strictEqual(await failed, "failed")
        const found = await text()
        assert.include([untouched, whole], found)
        await isOneStep(command, found)
      })
    }
  })
