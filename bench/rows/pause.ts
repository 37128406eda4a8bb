import { Stream } from "effect"
import type { Bench } from "../bench.ts"
import type { Daemon } from "../daemon.ts"
import { type Plan, side, timed } from "../measure.ts"
import { besideFork, command } from "./saved.ts"

const pause = (daemon: Daemon, workspace: string) =>
  daemon.call((pyro) => Stream.runDrain(pyro.workspace.pause({ workspace })))

/** Measures in a new workspace that has run a command: each pause adds a layer to a disk, and layers cost time. */
const onNew = async ({ daemon }: Bench, measure: (workspace: string) => Promise<number>) => {
  const workspace = await daemon.create()
  await daemon.exec(workspace, ...command)
  const ms = await measure(workspace)
  await daemon.remove(workspace)
  return ms
}

export const pauseRow: Plan = {
  ...besideFork,
  name: "pause",
  about: "pause of a running workspace, with memory and disk synced; floor: a fork of it, and the fork's first command",
  budget: { kind: "ratio", atMost: 1.3 },
  ours: async (bench) => side(() => onNew(bench, (workspace) => timed(() => pause(bench.daemon, workspace))))
}

export const resumeRow: Plan = {
  ...besideFork,
  name: "resume",
  about: "first command in a paused workspace, which resumes it; floor: a fork, and the fork's first command",
  budget: { kind: "ratio", atMost: 1.3 },
  ours: async (bench) =>
    side(() =>
      onNew(bench, async (workspace) => {
        await pause(bench.daemon, workspace)
        return timed(() => bench.daemon.exec(workspace, ...command))
      })
    )
}
