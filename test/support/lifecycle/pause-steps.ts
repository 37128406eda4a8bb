import { assert } from "vitest"
import type { operations } from "./operations.ts"
import type { Killed } from "./saved-faults.ts"
import type { Operation } from "./workspaces-process.ts"

interface Used extends Pick<ReturnType<typeof operations>, "call" | "status"> {
  readonly request: (operation: Operation, payload: object) => Pick<Killed, "cause" | "die">
  /** Looks whether the workspace `whole` goes on from a pause at its next use. */
  readonly wentOn: () => Promise<void>
  /** Looks whether the workspace `whole` was never paused. */
  readonly stillRunning: () => Promise<void>
}

/** A pause and a resume of the workspace `whole`: it runs or it is paused, and nothing is lost. */
export const pauseSteps = ({ call, stillRunning, request, status, wentOn }: Used): ReadonlyArray<Killed> => {
  const whole = { workspace: "whole" }
  let generation = 0
  return [
    {
      step: "pause",
      ...request("pause", whole),
      found: async (isDone) => {
        assert.strictEqual((await status("whole")).state, isDone ? "paused" : "running")
        await (isDone ? wentOn() : stillRunning())
      }
    },
    {
      step: "resume",
      ...request("resume", whole),
      before: async () => {
        await call("pause", whole)
        generation = (await status("whole")).generation
      },
      found: async (isDone) => {
        const found = await status("whole")
        const wanted = isDone ? ["running", generation + 1] : ["paused", generation]
        assert.deepStrictEqual([found.state, found.generation], wanted)
        await wentOn()
      }
    }
  ]
}
