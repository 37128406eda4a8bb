import { setTimeout as sleep } from "node:timers/promises"
import { deadlineScale } from "../../src/system/settings/deadline-scale.ts"
import type { Daemon } from "../daemon.ts"
import { historyOf, reset, returning, rewindOne, THOUGHT_MS, writingIn } from "../rows/rewind.ts"
import { type DriverRow, makeRow } from "./row.ts"

const options = { driver: "firecracker", memory_mib: 256 } as const

/** Longest wait for a point of an idle guest, in ms. */
const POINT_MS = 60_000 * deadlineScale

/** Waits until a point has the memory behind the last command. */
const pointed = async (daemon: Daemon, workspace: string) => {
  const giveUpAt = performance.now() + POINT_MS
  for (;;) {
    const { commands, points } = await historyOf(daemon, workspace)
    if (points.some((point) => point.memory && point.current && point.commands === commands.length)) return
    if (performance.now() > giveUpAt) throw new Error(`no point with memory was made: ${JSON.stringify(points)}`)
    await sleep(250)
  }
}

const openReturn = async (daemon: Daemon, go: typeof reset) => {
  const workspace = await daemon.create(options)
  // A daemon that was idle makes no point of a workspace that nobody has used.
  await daemon.exec(workspace, "/bin/true")
  await pointed(daemon, workspace)
  return returning(daemon, workspace, go, async () => {
    await pointed(daemon, workspace)
    await sleep(THOUGHT_MS)
  })
}

/** What points with memory cost on Firecracker. The floors are Firecracker's too: a daemon without points, and a reset. */
export const pointRows = (daemon: Daemon, withoutPoints: Daemon): ReadonlyArray<DriverRow> => [
  makeRow(
    "exec-points",
    "a command that writes, mean of many in a row, with points of rewind; floor: the same without points",
    (side) =>
      side === "without"
        ? writingIn(withoutPoints, { ...options, hasPoints: false })
        : writingIn(daemon, { ...options, hasPoints: true }),
    { atMost: { ratio: 1.1 }, on: ["without", "with"] }
  ),
  makeRow(
    "rewind",
    "rewind to before a command and the first command done, pool empty; floor: reset and the first command done",
    (side) => openReturn(daemon, side === "reset" ? reset : rewindOne),
    { atMost: { ratio: 1.3 }, on: ["reset", "rewind"] }
  )
]
