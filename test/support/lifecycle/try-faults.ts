import { assert } from "vitest"
import type { operations } from "./operations.ts"
import type { Killed } from "./saved-faults.ts"
import type { Operation } from "./workspaces-process.ts"

interface Tools extends Pick<ReturnType<typeof operations>, "list" | "sh" | "snapshots" | "status"> {
  readonly request: (operation: Operation, payload: object) => Pick<Killed, "cause" | "die">
  readonly isWhole: () => Promise<void>
  readonly counts: (workspace: string) => Promise<unknown>
  /** The workspace goes on from a capture. */
  readonly wentOn: () => Promise<void>
}

/** Steps of a try, and whether they may leave the kept candidate as the workspace. The candidate's own steps never do. */
const STEPS = { take: false, fork: false, try: true, "reset-to": true }

/** A process dies while it tries a candidate in the workspace `whole`, and keeps it. */
export const trySteps = (
  { counts, isWhole, list, request, sh, snapshots, status, wentOn }: Tools
): ReadonlyArray<Killed> => {
  let generation = 0
  let names: ReadonlyArray<string | undefined> = []
  return Object.entries(STEPS).map(([step, mayKeep]): Killed => ({
    step,
    ...request("try", {
      workspace: "whole",
      candidates: [{ name: "one", command: "echo tried > tried; sync" }],
      check: ["test", "-e", "tried"],
      keep: "one"
    }),
    before: async () => {
      generation = (await status("whole")).generation
      names = (await list()).map(({ name }) => name).sort()
    },
    found: async (isDone) => {
      const isKept = isDone && mayKeep
      assert.deepStrictEqual((await list()).map(({ name }) => name).sort(), names)
      assert.deepStrictEqual(await snapshots("whole"), { base: "memory" })
      assert.strictEqual((await status("whole")).generation, generation + (isKept ? 1 : 0))
      assert.strictEqual(await sh("whole", "cat tried 2>/dev/null || true"), isKept ? "tried" : "")
      await sh("whole", "rm -f tried; sync")
      if (isKept) return wentOn()
      await isWhole()
      await counts("whole")
    }
  }))
}
