import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { temporaryFolder } from "../../support/pyro-cli.ts"
import { beginAttempt } from "../../support/run/attempts.ts"

const { folder, remove } = temporaryFolder("pyro-attempts-")
afterAll(remove)

/** An installation whose workspaces are folders, and nothing else. */
const installationOfFolders = (name: string) => {
  const state = path.join(folder, name)
  const asked: Array<ReadonlyArray<string>> = []
  return {
    state,
    asked,
    make: (id: string) => fs.mkdirSync(path.join(state, "workspaces", id), { recursive: true }),
    deleteWorkspaces: (ids: ReadonlyArray<string>) => Promise.resolve(asked.push(ids))
  }
}

describe("a test that is retried", () => {
  it("the workspaces of the failed attempt are deleted, and those of before stay", async () => {
    const one = installationOfFolders("one")
    one.make("ws-before")
    const attempt = beginAttempt([one])
    one.make("ws-left")
    await attempt.undo()
    assert.deepStrictEqual(one.asked, [["ws-left"]])
  })

  it("an installation is left alone where the attempt has made nothing, or it has not begun", async () => {
    const [idle, unused, late] = ["idle", "unused", "late"].map(installationOfFolders)
    idle!.make("ws-before")
    const installations = new Set([idle!, unused!])
    const attempt = beginAttempt(installations)
    installations.add(late!)
    late!.make("ws-late")
    await attempt.undo()
    assert.deepStrictEqual([idle!.asked, unused!.asked, late!.asked], [[], [], [["ws-late"]]])
  })
})
