import { Effect, Schema, Stream } from "effect"
import { setTimeout as sleep } from "node:timers/promises"
import { HistoryPayload, RewindPayload } from "../../src/contract/rows/workspace-rewind.ts"
import type { Bench } from "../bench.ts"
import type { Daemon } from "../daemon.ts"
import { type Plan, side, timed } from "../measure.ts"

const command = ["/bin/cat", "/etc/debian_version"] as const
const writing = ["/bin/sh", "-c", "head -c 100000 /dev/urandom > /workspace/written"] as const

/** Commands in a row that take longer than the time between two points. */
const IN_A_ROW = 150

/** Options of a workspace's creation. */
type CreateOptions = NonNullable<Parameters<Daemon["create"]>[0]>

/** The points of a workspace. */
export const historyOf = async (daemon: Daemon, workspace: string) => {
  const payload = await Effect.runPromise(Effect.orDie(Schema.decodeUnknownEffect(HistoryPayload())({ workspace })))
  return daemon.call((pyro) => pyro.workspace.history(payload))
}

/**
 * Mean time of a command that writes, of many in a row: each point in between counts. Fails if the daemon makes points where it should not, or none where
 * it should: two daemons with the same settings would give a fine ratio.
 */
export const writingIn = async (
  daemon: Daemon,
  { hasPoints, ...options }: CreateOptions & { readonly hasPoints: boolean }
) => {
  const workspace = await daemon.create(options)
  return side(async () => {
    const ms = await timed(async () => {
      for (let at = 0; at < IN_A_ROW; at++) await daemon.exec(workspace, ...writing)
    })
    const { points } = await historyOf(daemon, workspace)
    if (points.length > 0 !== hasPoints) throw new Error(`${points.length} points were made`)
    return ms / IN_A_ROW
  }, () => daemon.remove(workspace))
}

export const execPoints: Plan = {
  name: "exec-points",
  unit: "ms",
  about: `a command that writes, mean of ${IN_A_ROW} in a row, with points of rewind; floor: the same without points`,
  budget: { kind: "ratio", atMost: 1.1 },
  rounds: (runs) => runs,
  warmups: 1,
  floor: ({ bareDaemon }: Bench) => writingIn(bareDaemon, { hasPoints: false }),
  ours: ({ daemon }: Bench) => writingIn(daemon, { hasPoints: true })
}

/** A way back to an earlier state. */
type Return = (daemon: Daemon, workspace: string) => Promise<unknown>

export const reset: Return = (daemon, workspace) =>
  daemon.call((pyro) => Effect.asVoid(Stream.runDrain(pyro.workspace.reset({ workspace }))))

/** To before the last command. */
export const rewindOne: Return = (daemon, workspace) =>
  daemon.call((pyro) =>
    Effect.gen(function*() {
      const payload = yield* Effect.orDie(Schema.decodeUnknownEffect(RewindPayload())({ workspace, steps: 1 }))
      return yield* Stream.runDrain(pyro.workspace.rewind(payload))
    })
  )

/** A return of a workspace that a command has broken, and the first command after it. `quiet` resolves when the daemon has prepared both. */
export const returning = async (daemon: Daemon, workspace: string, go: Return, quiet: () => Promise<unknown>) =>
  side(async () => {
    // The first command has no point before it.
    await daemon.exec(workspace, ...writing)
    await daemon.exec(workspace, "/bin/sh", "-c", "echo dirt > /usr/dirt; rm -rf /etc/apt")
    await quiet()
    return timed(async () => {
      await go(daemon, workspace)
      await daemon.exec(workspace, ...command)
    })
  }, () => daemon.remove(workspace))

/** The daemon has a guest, or a memory, ready for the next rewind some two seconds after the last command. An agent thinks for as long. */
export const THOUGHT_MS = 3_000

const back = async ({ daemon }: Bench, go: Return) =>
  returning(daemon, await daemon.create(), go, async () => {
    await daemon.settled()
    await sleep(THOUGHT_MS)
  })

export const rewind: Plan = {
  name: "rewind",
  unit: "ms",
  about: "rewind to before a command and the first command done, pool warm; floor: reset and the first command done",
  budget: { kind: "ratio", atMost: 1.3 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: (bench) => back(bench, reset),
  ours: (bench) => back(bench, rewindOne)
}
