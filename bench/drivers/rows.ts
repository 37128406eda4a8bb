import { Stream } from "effect"
import type { Daemon } from "../daemon.ts"
import { cpuMs, descendants, privateMib, proportionalMib } from "../host-process.ts"
import { side, timed } from "../measure.ts"
import { apart, inARow } from "../rows/in-a-row.ts"
import { openKeys } from "../rows/keys.ts"
import { forksOf } from "../rows/snapshot.ts"
import { pointRows } from "./points.ts"
import { type DriverRow, makeRow, noWorse, type OnDriver } from "./row.ts"

const memoryMib = 768
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Every row. The pools of both daemons are empty, and `withoutPoints` makes no points of rewind. */
export const driverRows = (daemon: Daemon, withoutPoints: Daemon): ReadonlyArray<DriverRow> => {
  const create = (driver: string, memory_mib = 256) => daemon.create({ driver, memory_mib })
  const fill = (workspace: string, file: string, mib: number) =>
    daemon.exec(workspace, "/bin/sh", "-c", `head -c ${mib}M /dev/urandom > ${file}`)
  /** A workspace with much memory in use. */
  const used = async (driver: string, mib: number) => {
    const workspace = await create(driver, memoryMib)
    await fill(workspace, "/dev/shm/used", mib)
    return workspace
  }
  const pidsOf = async (workspaces: ReadonlyArray<string>) => {
    const { vms } = await daemon.call((pyro) => pyro.daemon.status({}))
    const known = vms.flatMap(({ pid, workspace }) =>
      pid !== undefined && workspaces.includes(workspace ?? "") ? [pid] : []
    )
    // The record names what starts the VMM in its namespaces.
    return known.flatMap((pid) => [pid, ...descendants(pid)])
  }
  /** Forks after a first command in each, one after the other. */
  const forksInUse = async (workspace: string, count: number) => {
    const ids = await forksOf(daemon, workspace, count)
    for (const id of ids) await daemon.exec(id, "/bin/true")
    await sleep(1_500)
    return ids
  }
  const removeAll = async (ids: ReadonlyArray<string>) => {
    for (const id of ids) await daemon.remove(id)
  }
  const memoryOfForks = (count: number, measureIt: (pids: ReadonlyArray<number>) => number): OnDriver => (driver) =>
    Promise.resolve(side(async () => {
      const source = await used(driver, 300)
      const ids = await forksInUse(source, count)
      try {
        return measureIt(await pidsOf(ids))
      } finally {
        await removeAll([...ids, source])
      }
    }))
  return [
    makeRow("create", "workspace created and its first command done, pool empty", async (driver) =>
      side(async () => {
        let workspace = ""
        const ms = await timed(async () => {
          workspace = await create(driver)
          await daemon.exec(workspace, "/bin/true")
        })
        await daemon.remove(workspace)
        return ms
      }), { atMost: noWorse }),
    makeRow("create-cpu", "processor time of the daemon for one create and its first command", async (driver) => {
      const pid = await daemon.pid()
      return side(async () => {
        const before = cpuMs(pid)
        const workspace = await create(driver)
        await daemon.exec(workspace, "/bin/true")
        const ms = cpuMs(pid) - before
        await daemon.remove(workspace)
        return ms
      })
    }),
    makeRow("exec", "one command", async (driver) => {
      const workspace = await create(driver)
      const run = daemon.prepared(workspace, "/bin/true")
      return side(() => inARow(() => timed(run)), () => daemon.remove(workspace))
    }, { atMost: noWorse }),
    makeRow("key", "one key typed into an attached shell, and its echo", async (driver) => {
      const workspace = await create(driver)
      const { close, key } = await openKeys(daemon, workspace)
      return side(() => apart(() => timed(key), 25, 20), async () => {
        await close()
        await daemon.remove(workspace)
      })
    }, { atMost: noWorse }),
    makeRow("output", "64 MiB of one command's output", async (driver) => {
      const workspace = await create(driver)
      return side(
        () => timed(() => daemon.exec(workspace, "/bin/dd", "if=/dev/zero", "bs=64k", "count=1024", "status=none")),
        () => daemon.remove(workspace)
      )
    }, { atMost: noWorse, rounds: () => 2, warmups: 0 }),
    makeRow(
      "capture",
      "snapshot of a workspace with 300 MiB in use, of which 20 were written since the last one",
      async (driver) => {
        const workspace = await used(driver, 300)
        let number = 0
        return side(async () => {
          await fill(workspace, "/dev/shm/more", 20)
          const name = `s${++number}`
          const ms = await timed(() =>
            daemon.call((pyro) => Stream.runDrain(pyro.workspace.snapshot.create({ workspace, name })))
          )
          await daemon.call((pyro) => pyro.workspace.snapshot.delete({ workspace, name }))
          return ms
        }, () => daemon.remove(workspace))
      },
      { atMost: { ratio: 0.3 } }
    ),
    makeRow("fork", "fork of a workspace with 300 MiB in use, and the fork's first command", async (driver) => {
      const workspace = await used(driver, 300)
      return side(async () => {
        let ids: ReadonlyArray<string> = []
        const ms = await timed(async () => {
          ids = await forksOf(daemon, workspace, 1)
          await daemon.exec(ids[0]!, "/bin/true")
        })
        await removeAll(ids)
        return ms
      }, () => daemon.remove(workspace))
    }),
    makeRow(
      "fork-private",
      "private memory of one of two forks of a workspace with 300 MiB in use, after a first command",
      memoryOfForks(2, (pids) => privateMib(pids) / 2),
      { unit: "MiB", atMost: { value: 10 }, rounds: () => 1, warmups: 0 }
    ),
    makeRow("forks-8", "memory of eight forks of it in all, by its memory alone", async (driver) =>
      side(async () => {
        // The lab's machine has no room for eight larger ones, and /dev/shm takes half of a guest's memory.
        const source = await create(driver, 512)
        for (const file of ["/dev/shm/used", "/run/used"]) await fill(source, file, 150)
        const alone = proportionalMib(await pidsOf([source]))
        const ids = await forksInUse(source, 8)
        try {
          return proportionalMib(await pidsOf(ids)) / alone
        } finally {
          await removeAll([...ids, source])
        }
      }), {
      unit: "times",
      atMost: { value: 1.3 },
      // Eight copies of the memory do not fit the lab's machine.
      on: ["firecracker"],
      rounds: () => 1,
      warmups: 0
    }),
    ...pointRows(daemon, withoutPoints)
  ]
}
