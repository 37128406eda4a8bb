import { assert } from "vitest"
import type { operations } from "./operations.ts"
import type { Operation } from "./workspaces-process.ts"

/** A step that a process is killed in. */
export interface Killed {
  readonly step: string
  /** What leads to the step. */
  readonly cause: string
  /** Brings the step about, in a process that dies at the point. */
  readonly die: (point: string) => Promise<void>
  readonly before?: () => Promise<unknown>
  /** Looks at what the next process finds; `isDone` says that the step counts as done. */
  readonly found: (isDone: boolean) => Promise<unknown>
}

/** Which steps a suite takes, and where in each. @default all */
export interface SomeOfThem {
  readonly around?: "commits"
  readonly causes?: ReadonlyArray<string>
}

/** The steps of some causes, or all. */
export const causedBy = (steps: ReadonlyArray<Killed>, causes?: ReadonlyArray<string>) => {
  const unknown = causes?.filter((one) => !steps.some(({ cause }) => cause === one)) ?? []
  if (unknown.length > 0) throw new Error(`no step is caused by ${unknown.join(", ")}`)
  return steps.filter(({ cause }) => causes?.includes(cause) !== false)
}

interface Tools extends Pick<ReturnType<typeof operations>, "call" | "list" | "remove" | "saved"> {
  /** Path for an exported snapshot. */
  readonly archive: () => string
  readonly request: (operation: Operation, payload: object) => Pick<Killed, "cause" | "die">
  readonly isWhole: () => Promise<void>
  readonly counts: (workspace: string) => Promise<unknown>
  readonly wentOn: (workspace: string) => Promise<void>
  /** Makes the next capture a diff. */
  readonly beforeDiff: Pick<Killed, "before">
}

/** A process dies while it saves the workspace `whole`, starts another from the saved snapshot `warm`, or deletes one. */
export const savedSteps = (
  { archive, beforeDiff, call, counts, isWhole, list, remove, request, saved, wentOn }: Tools,
  diffSteps: ReadonlyArray<string>
): ReadonlyArray<Killed> => [
  ...["save", "take", ...diffSteps].map((step): Killed => ({
    step,
    ...request("save", { workspace: "whole", name: "again" }),
    ...(step === "diff" && beforeDiff),
    found: async (isDone) => {
      assert.deepStrictEqual(await saved(), { warm: "memory", ...(isDone && { again: "memory" }) })
      await isWhole()
      await counts("whole")
      if (!isDone) return
      await call("create", { name: "child", from_snapshot: "again" })
      await wentOn("child")
      await remove("child")
      await call("saved-delete", { names: ["again"] })
    }
  })),
  {
    step: "create-from",
    ...request("create", { name: "child", from_snapshot: "warm" }),
    found: async (isDone) => {
      assert.strictEqual((await list()).some((one) => one.name === "child"), isDone)
      assert.deepStrictEqual(await saved(), { warm: "memory" })
      if (!isDone) return
      await wentOn("child")
      await remove("child")
    }
  },
  {
    step: "import",
    cause: "import",
    die: (point) => request("import", { source_path: archive(), name: "again" }).die(point),
    before: () => call("export", { name: "warm", output: archive(), overwrite: true }),
    found: async (isDone) => {
      assert.deepStrictEqual(await saved(), { warm: "memory", ...(isDone && { again: "memory" }) })
      if (!isDone) return
      await call("create", { name: "child", from_snapshot: "again" })
      await wentOn("child")
      await remove("child")
      await call("saved-delete", { names: ["again"] })
    }
  },
  {
    step: "saved-delete",
    ...request("saved-delete", { names: ["again"] }),
    before: () => call("save", { workspace: "whole", name: "again" }),
    found: async () => assert.deepStrictEqual(await saved(), { warm: "memory" })
  }
]
