import { Stream } from "effect"
import { assert, describe, it } from "vitest"
import { on, REAL_TERMINAL } from "./on.ts"

describe("habits of other tools", () => {
  const encoded = (text: string) => Stream.make(new TextEncoder().encode(text))
  const two = [{ id: "ws-0123456789", name: "fix" }, { id: "ws-0123456780" }]
  const deletions = {
    "workspace.list": { workspaces: two },
    "workspace.delete": { deleted: two.map(({ id }) => id), names: ["fix", "ws-0123456780"] }
  }

  it("asks at a terminal before it deletes all workspaces", async () => {
    const all = ["workspace", "delete", "--all"]
    const question = "err Delete all 2 workspaces (fix, ws-0123456780) with everything in them? [y/N] "
    const no = await on(all, { answers: deletions, terminal: { ...REAL_TERMINAL, stdin: encoded("\n") } })
    assert.deepStrictEqual([no.status, no.journal.slice(1)], [1, [question, "err nothing was deleted\n"]])
    assert.deepStrictEqual(no.called.map(([name]) => name), ["workspace.list"])
    const yes = await on(all, { answers: deletions, terminal: { ...REAL_TERMINAL, stdin: encoded("y\n") } })
    assert.deepStrictEqual([yes.status, yes.journal.at(-1)], [0, "out deleted fix\ndeleted ws-0123456780\n"])
    for (const quiet of [{ argv: [...all, "--yes"], terminal: REAL_TERMINAL }, { argv: all, terminal: {} }]) {
      const { called } = await on(quiet.argv, { answers: deletions, terminal: quiet.terminal })
      assert.deepStrictEqual(called.map(([name]) => name), ["workspace.delete"])
    }
  })

  it("repeats the names that were given to delete, whatever the workspaces are called", async () => {
    const { journal } = await on(["rm", "ws-0123456789", "ws-0123456780"], { answers: deletions })
    assert.strictEqual(journal.at(-1), "out deleted ws-0123456789\ndeleted ws-0123456780\n")
    const named = await on(["rm", "fix", "ws-0123456780"], { answers: deletions })
    assert.strictEqual(named.journal.at(-1), "out deleted fix\ndeleted ws-0123456780\n")
  })

  it("lists ids alone for a script", async () => {
    const { journal } = await on(["ls", "--id-only"], { answers: deletions })
    assert.strictEqual(journal.at(-1), "out ws-0123456789\nws-0123456780\n")
    const none = await on(["ls", "--id-only"], { answers: { "workspace.list": { workspaces: [] } } })
    assert.deepStrictEqual(none.journal.slice(1).join(""), "out ")
  })

  it("says when each environment was built", async () => {
    const environment = {
      name: "web",
      origin: "own",
      state: "ready",
      description: "d",
      sizeBytes: 1,
      digest: "sha256:1"
    }
    const { journal } = await on(["env", "ls"], {
      answers: {
        "env.list": { environments: [{ ...environment, builtAt: new Date(Date.now() - 7_200_000).toISOString() }] }
      }
    })
    assert.match(journal.at(-1) ?? "", /NAME +ORIGIN +STATE +BUILT.*\nweb +own +ready +2 h ago/)
  })
})
