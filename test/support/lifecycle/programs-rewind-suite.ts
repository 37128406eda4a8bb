import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { until } from "../pyro-cli.ts"
import { rewindingWorkspaces } from "./rewind-steps.ts"

/** Adds a number to a file, again and again, from 1 on. */
const writing = (file: string) => `i=0; while :; do i=$((i+1)); echo $i >> /workspace/${file}; sleep 0.02; done`

/** Numbers in the file of a workspace, as the host sees the disk: a look from inside would be a use. */
const rowsIn = (state: () => string) => (w: string) => () => {
  const root = path.join(state(), "local-disks")
  const counts = fs.readdirSync(root).map((disk) => {
    try {
      return fs.readFileSync(path.join(root, disk, `tree/workspace/rows-${w}`), "utf8").split("\n").length - 1
    } catch {
      return 0
    }
  })
  return Math.max(0, ...counts)
}

/** The last number before the file begins anew, by a program that has started again. */
const keptIn = async (sh: (w: string, script: string) => Promise<string>, w: string) => {
  const all = (await sh(w, `cat rows-${w}`)).split("\n").map(Number)
  const again = all.findIndex((row, at) => row !== at + 1)
  return again === -1 ? all.length : again
}

/** A command waits for no point of memory if the last one took long. What programs wrote since that one is undone with the command. */
export const testSlowPoints = (title: string, program: string) => {
  describe(title, { concurrent: false }, () => {
    const { call, client, create, exec, rewind, sh, step } = rewindingWorkspaces(program, { hasMemoryPoints: true })

    it("the answer of a rewind says since when the writes of a service are undone, if no point lies right before", async () => {
      const rows = rowsIn(() => client().state)("slow")
      await create("slow")
      await step("slow", "echo base > b")
      await call("service-start", { workspace: "slow", name: "writer", script: writing("rows-slow") })
      await step("slow", "echo later > later")
      // The next point takes as long as the service needs for ten rows: more than 100 ms. Without a use, no other point follows.
      const halted = client().haltsAt("point:captured", () => {}, async () => {
        const captured = rows()
        await until("rows during the capture", () => Promise.resolve(rows() > captured + 10))
      })
      await call("service-start", { workspace: "slow", name: "other", script: "exec sleep 1000" })
      await halted
      const before = rows()
      const { execId } = await exec("slow", "rm -f b")
      const { undone, writesUndone } = await rewind("slow")
      assert.deepStrictEqual(undone.map((one) => one.execId), [execId])
      assert.match(
        writesUndone.join(),
        /^what service writer, service other wrote since [0-9T:.Z-]+, [0-9.]+ s before the first of these commands$/
      )
      assert.isBelow(await keptIn(sh, "slow"), before)
      assert.strictEqual(await sh("slow", "cat b"), "base")
    })
  })
}

/** Programs of a workspace write between two commands, over a local agent. No operation uses the workspace meanwhile. */
export const testProgramsRewind = (title: string, program: string, options: { readonly hasMemoryPoints: boolean }) => {
  describe(title, { concurrent: false }, () => {
    // A command waits for a point however long the last one took: on a busy host, a point of memory takes more than 100 ms.
    const { call, client, create, exec, history, remove, rewind, sh, startProgram, step } = rewindingWorkspaces(
      program,
      { ...options, env: { PYRO_DEADLINE_SCALE: "1000" } }
    )

    const rowsOf = rowsIn(() => client().state)
    const keptRows = (w: string) => keptIn(sh, w)

    const starts: Readonly<Record<string, (w: string, script: string) => Promise<unknown>>> = {
      service: (workspace, script) => call("service-start", { workspace, name: "writer", script }),
      shell: async (workspace, script) => {
        const { shellId } = await call<{ readonly shellId: string }>("shell-open", { workspace })
        await call("shell-write", { workspace, shell_id: shellId, input: script })
      },
      detached: startProgram,
      child: (workspace, script) => exec(workspace, `(${script}) > /dev/null 2>&1 &`)
    }
    const titles = [
      ["service", "a service", "service writer"],
      ["shell", "a shell", "shell [0-9a-f]{12}"],
      ["detached", "a detached command", "command [0-9a-f]{12}"],
      ["child", "a process that a command left", "processes that commands left"]
    ] as const
    for (const [w, who, named] of titles) {
      it(`what ${who} wrote before a command stays, and what it wrote since is undone`, async () => {
        const rows = rowsOf(w)
        await create(w)
        await step(w, "echo base > b")
        await starts[w]!(w, writing(`rows-${w}`))
        await until("the first rows", () => Promise.resolve(rows() > 2))
        await step(w, "echo later > later")
        const settledRows = rows()
        await until("more rows", () => Promise.resolve(rows() > settledRows + 10))
        const before = rows()
        const { execId } = await exec(w, "rm -f b")
        const after = rows()
        await until("rows after the command", () => Promise.resolve(rows() > after + 5))
        const { undone, writesUndone } = await rewind(w)
        assert.match(
          writesUndone.join(),
          new RegExp(`^what ${named} wrote since [0-9T:.Z-]+(, [0-9.]+ s before the first of these commands)?$`)
        )
        assert.deepStrictEqual(undone.map((one) => one.execId), [execId])
        const kept = await keptRows(w)
        assert.isAtLeast(kept, before)
        assert.isAtMost(kept, after)
        assert.strictEqual(await sh(w, "cat b"), "base")
        await remove(w)
      })
    }

    it("processes that a command left are named beside a service", async () => {
      const rows = rowsOf("both")
      await create("both")
      await starts["service"]!("both", "exec sleep 1000")
      await starts["child"]!("both", writing("rows-both"))
      await until("the first rows", () => Promise.resolve(rows() > 2))
      await step("both", "echo base > b")
      await exec("both", "rm -f b")
      assert.match(
        (await rewind("both")).writesUndone.join(),
        /^what service writer, processes that commands left wrote /
      )
      await remove("both")
    })

    it("a command in a quiet workspace makes no look of its own", async () => {
      await create("w")
      await step("w", "echo base > b")
      const { points } = await history("w")
      await exec("w", "echo more > b")
      assert.lengthOf((await history("w")).points.filter(({ commands }) => commands === 1), 1)
      assert.strictEqual((await history("w")).commands.at(-1)!.point, points.at(-1)!.id)
      await remove("w")
    })
  })
}
