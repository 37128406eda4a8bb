import { Effect, type Scope } from "effect"
import type { ChildProcess } from "node:child_process"
import type { Socket } from "node:net"
import { killGroup, spawnTool } from "./child.ts"

/** By then whoever asked for the last one has what it was for, in ms. */
const LATER_MS = 300

/** A process of a tool that waits for its arguments: starting one from a daemon takes 3 ms, in which it does nothing else. */
export interface Standby {
  /** The one that waits, for once. What it is to do goes to its stdin. */
  readonly take: () => ChildProcess | undefined
  /** Has one wait from some moments on, if none does. */
  readonly prepare: (tool: string) => void
}

/** The process goes with the Scope, and keeps nobody from ending. `args`: with these the tool waits until its stdin ends. */
export const makeStandby = (args: ReadonlyArray<string>): Effect.Effect<Standby, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => ({
        child: undefined as ChildProcess | undefined,
        timer: undefined as NodeJS.Timeout | undefined
      })),
      (waiting) =>
        Effect.sync(() => {
          clearTimeout(waiting.timer)
          if (waiting.child !== undefined) killGroup(waiting.child, "SIGKILL")
        })
    ),
    (waiting) => ({
      take: () => {
        const { child } = waiting
        waiting.child = undefined
        if (child !== undefined) hold(child, true)
        return child
      },
      prepare: (tool) => {
        if (waiting.child !== undefined || waiting.timer !== undefined) return
        waiting.timer = setTimeout(() => {
          waiting.timer = undefined
          const child = spawnTool(tool, args, { input: "" })
          const forget = () => {
            if (waiting.child === child) waiting.child = undefined
          }
          // Where it cannot be started now, whoever wants it next is told why.
          child.on("error", forget).once("exit", forget)
          hold(child, false)
          waiting.child = child
        }, LATER_MS).unref()
      }
    })
  )

/** Whether this process waits for it before it ends. */
const hold = (child: ChildProcess, isHeld: boolean) => {
  for (const one of [child, ...child.stdio] as ReadonlyArray<ChildProcess | Socket | null>) {
    if (isHeld) one?.ref()
    else one?.unref()
  }
}
