import { Effect } from "effect"
import * as os from "node:os"
import { touchMemory } from "../host-memory.ts"
import { descendants, proportionalMib, residentMib } from "../host-process.ts"
import { type Plan, side, timed } from "../measure.ts"

const many = 20
const memoryMib = 256
/** Memory of one VM on the host, and a margin. */
const residentMibOfOne = 100
/** Processes whose CPU time is counted together, for the steps that count it. */
const several = 4
const cores = os.availableParallelism()

/** Deferred work of a guest after its first command is over by then. */
const guestSettlesMs = 1500
/** An idle daemon has collected its garbage by then, also after a recent collection (src/daemon/server/request-tracker.ts). */
const daemonSettlesMs = 21_500

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const all = async (count: number, work: (at: number) => Promise<string>) =>
  Promise.all(Array.from({ length: count }, (_, at) => work(at)))

export const twentyAtOnce: Plan = {
  name: "twenty-at-once",
  unit: "ms",
  about:
    `${many} workspaces of ${memoryMib} MiB created at once, each with its first command done, in memory that was in use a moment ago; ` +
    `floor: the CPU time of ${many} times one, over the host's cores; no pool`,
  budget: { kind: "ratio", atMost: 1.3 },
  rounds: (runs) => Math.max(1, Math.floor(runs / 6)),
  warmups: 1,
  floor: async ({ bareDaemon }) => {
    await bareDaemon.remove(await bareDaemon.create({ memory_mib: memoryMib }))
    return side(async () => {
      let ms = 0
      for (let one = 0; one < several; one++) {
        const before = busyMs()
        const workspace = await bareDaemon.create({ memory_mib: memoryMib })
        await bareDaemon.exec(workspace, "/bin/true")
        ms += busyMs() - before
        await bareDaemon.remove(workspace)
      }
      return ms / several * many / cores
    })
  },
  ours: async ({ bareDaemon, room }) =>
    side(async () => {
      // Single machines get the same memory again. Twenty at once may get memory that this host never had.
      touchMemory(room.memory, many * residentMibOfOne)
      let made: ReadonlyArray<string> = []
      const ms = await timed(async () => {
        made = await all(many, async () => {
          const workspace = await bareDaemon.create({ memory_mib: memoryMib })
          await bareDaemon.exec(workspace, "/bin/true")
          return workspace
        })
      })
      await Promise.all(made.map((workspace) => bareDaemon.remove(workspace)))
      return ms
    })
}

export const daemonMemory: Plan = {
  name: "daemon-memory",
  unit: "MiB",
  about: `resident memory of the daemon with ${many} workspaces, 20 s after the last of their first commands`,
  budget: { kind: "absolute", atMost: 110 },
  rounds: () => 1,
  warmups: 0,
  ours: async ({ daemon }) =>
    side(async () => {
      const made = await all(many, () => daemon.create({ memory_mib: memoryMib }))
      for (const workspace of made) await daemon.exec(workspace, "/bin/true")
      await after(daemonSettlesMs)
      const mib = residentMib(await daemon.pid())
      await Promise.all(made.map((workspace) => daemon.remove(workspace)))
      return mib
    })
}

/** Busy time of all cores since the host's boot, in ms, in steps of 10. */
const busyMs = () => os.cpus().reduce((sum, { times: { irq, nice, sys, user } }) => sum + user + nice + sys + irq, 0)

export const idleWorkspace: Plan = {
  name: "idle-workspace",
  unit: "MiB",
  about: "proportional set size of an idle workspace's VM after its first command, with the daemon's pool beside it",
  budget: { kind: "absolute", atMost: 80 },
  prototype: 64,
  rounds: (runs) => Math.ceil(runs / 5),
  warmups: 0,
  ours: async ({ daemon }) =>
    side(async () => {
      const workspace = await daemon.create()
      await daemon.exec(workspace, "/bin/true")
      await daemon.settled()
      await after(guestSettlesMs)
      const { vms } = await daemon.call((pyro) => Effect.map(pyro.daemon.status({}), (status) => status))
      const pid = vms.find(({ purpose }) => purpose === "workspace")?.pid ?? 0
      const mib = proportionalMib([pid, ...descendants(pid)])
      await daemon.remove(workspace)
      return mib
    })
}
