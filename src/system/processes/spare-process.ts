import { Effect, type Scope } from "effect"
import type { ChildProcess } from "node:child_process"
import type { Socket } from "node:net"
import { killGroup, spawnTool } from "./child.ts"

/** Delay before a spare process starts, in ms: the caller of the last process has its answer by then. */
const START_DELAY_MS = 300

/** A process of a tool that waits for its arguments. To start a process blocks a daemon for 3 ms, and a spare process saves that. */
export interface SpareProcess {
  /** Takes the spare process, once. Its arguments go to its stdin. */
  readonly take: () => ChildProcess | undefined
  /** Starts a spare process after a delay, unless one waits or is about to start. */
  readonly prepare: (tool: string) => Effect.Effect<void>
}

/** The Scope ends the process, which does not keep this process from ending. With `args` the tool waits until its stdin ends. */
export const makeSpareProcess = (args: ReadonlyArray<string>): Effect.Effect<SpareProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    const spare = { child: undefined as ChildProcess | undefined, isStarting: false }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (spare.child !== undefined) killGroup(spare.child, "SIGKILL")
      })
    )
    // A start that waits is forked into the Scope later than this finalizer, so the Scope interrupts the start first.
    const scope = yield* Effect.scope
    const start = (tool: string) =>
      Effect.sync(() => {
        spare.isStarting = false
        const child = spawnTool(tool, args, { input: "" })
        const forget = () => {
          if (spare.child === child) spare.child = undefined
        }
        // A tool that cannot start now tells the next caller why.
        child.on("error", forget).once("exit", forget)
        hold(child, false)
        spare.child = child
      })
    return {
      take: () => {
        const { child } = spare
        spare.child = undefined
        if (child !== undefined) hold(child, true)
        return child
      },
      prepare: (tool) =>
        Effect.suspend(() => {
          if (spare.child !== undefined || spare.isStarting) return Effect.void
          spare.isStarting = true
          return start(tool).pipe(
            Effect.delay(START_DELAY_MS),
            Effect.interruptible,
            Effect.forkIn(scope),
            Effect.asVoid
          )
        })
    }
  })

/** Whether this process waits for a child before it ends. */
const hold = (child: ChildProcess, isHeld: boolean) => {
  for (const one of [child, ...child.stdio] as ReadonlyArray<ChildProcess | Socket | null>) {
    if (isHeld) one?.ref()
    else one?.unref()
  }
}
