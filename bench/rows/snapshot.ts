import { Effect, Schema, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { ForkPayload } from "../../src/contract/rows/workspace-fork.ts"
import type { Bench } from "../bench.ts"
import type { Daemon } from "../daemon.ts"
import { type Plan, side, timed } from "../measure.ts"

const command = ["/bin/cat", "/etc/debian_version"] as const

/** Parts of a pause besides the copy: stop, device state, disk, resume. */
const fixedMs = 10

/** Forks a workspace. Gives the ids. */
export const forksOf = (daemon: Daemon, workspace: string, count: number): Promise<ReadonlyArray<string>> =>
  daemon.call((pyro) =>
    Effect.gen(function*() {
      const payload = yield* Effect.orDie(Schema.decodeUnknownEffect(ForkPayload())({ workspace, count }))
      const last = yield* Stream.runLast(pyro.workspace.fork(payload))
      return last._tag === "Some" && last.value._tag === "Forked"
        ? last.value.workspaces.map(({ id }) => id)
        : yield* Effect.die(new Error("fork ended without a workspace"))
    })
  )

/** Forks a workspace and runs a first command in each fork. Gives the ids. */
const forkAndUse = async ({ daemon }: Bench, workspace: string, count: number) => {
  const ids = await forksOf(daemon, workspace, count)
  await Promise.all(ids.map((id) => daemon.exec(id, ...command)))
  return ids
}

const removeAll = async ({ daemon }: Bench, ids: ReadonlyArray<string>) => {
  for (const id of ids) await daemon.remove(id)
}

export const snapshot: Plan = {
  name: "snapshot",
  unit: "ms",
  about:
    "how long a workspace stands still for a snapshot; floor: a sparse copy of a like VM's memory file to the same disk + 10 ms",
  budget: { kind: "ratio", atMost: 1.3 },
  prototype: 50,
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ floor, room }) => {
    const { vm } = await floor.restore(...command)
    const to = path.join(room.disk, "snapshot")
    return side(async () => {
      const ms = await timed(() => floor.copy(vm.memory, to))
      fs.rmSync(to)
      return ms + fixedMs
    }, () => vm.destroy())
  },
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(async () => {
      const pauseMs = await daemon.call(({ workspace: { snapshot } }) =>
        Effect.gen(function*() {
          const last = yield* Stream.runLast(snapshot.create({ workspace, name: "bench" }))
          yield* snapshot.delete({ workspace, name: "bench" })
          return last._tag === "Some" && last.value._tag === "Taken" ? last.value.snapshot.pauseMs : undefined
        })
      )
      if (pauseMs === undefined) throw new Error("the snapshot tells of no pause")
      return pauseMs
    }, () => daemon.remove(workspace))
  }
}

export const fork: Plan = {
  name: "fork",
  unit: "ms",
  about: "fork of a running workspace and the fork's first command done; floor: copy, copy and restore by a script",
  budget: { kind: "ratio", atMost: 1.3 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ floor, room }) => {
    const { vm: parent } = await floor.restore(...command)
    const to = path.join(room.memory, "fork")
    return side(async () => {
      let child: Awaited<ReturnType<typeof floor.restore>> | undefined
      const ms = await timed(async () => {
        await floor.copy(parent.memory, to)
        child = await floor.restore(...command)
      })
      fs.rmSync(to)
      await child?.vm.destroy()
      return ms
    }, () => parent.destroy())
  },
  ours: async (bench) => {
    const workspace = await bench.daemon.create()
    return side(async () => {
      let ids: ReadonlyArray<string> = []
      const ms = await timed(async () => (ids = await forkAndUse(bench, workspace, 1)))
      await removeAll(bench, ids)
      return ms
    }, () => bench.daemon.remove(workspace))
  }
}

/** A floor: so many copies of a memory with `usedMib` in use, and restores by a script, one after the other. A fork is a copy, a copy and a restore. */
export const copiesAndRestores = (
  { copies, restores, usedMib }: Readonly<Record<"copies" | "restores" | "usedMib", number>>
): NonNullable<Plan["floor"]> =>
async ({ floor, room }) => {
  const [used, to] = [path.join(room.memory, "used"), path.join(room.memory, "copied")]
  await floor.copyMemory(used)
  fillHoles(used, usedMib)
  return side(async () => {
    const copyMs = await timed(() => floor.copy(used, to))
    fs.rmSync(to)
    const vms: Array<Awaited<ReturnType<typeof floor.restore>>["vm"]> = []
    const restoresMs = await timed(async () => {
      for (let number = 0; number < restores; number++) vms.push((await floor.restore(...command)).vm)
    })
    for (const vm of vms) await vm.destroy()
    return copyMs * copies + restoresMs
  }, async () => fs.rmSync(used))
}

const forks = 8
const usedMib = 300

export const forkEight: Plan = {
  name: "fork-8",
  unit: "ms",
  about: `${forks} forks of a workspace with ${usedMib} MiB in use, and a first command in each; floor: one fork and ` +
    `${forks - 1} times copy and restore, one after the other by a script`,
  budget: { kind: "ratio", atMost: 2 },
  rounds: () => 3,
  warmups: 1,
  floor: copiesAndRestores({ usedMib, copies: forks + 1, restores: forks }),
  ours: async (bench) => {
    const { daemon } = bench
    const workspace = await daemon.create()
    await daemon.exec(workspace, "/bin/sh", "-c", `head -c ${usedMib}M /dev/urandom > /dev/shm/used`)
    return side(async () => {
      let ids: ReadonlyArray<string> = []
      const ms = await timed(async () => (ids = await forkAndUse(bench, workspace, forks)))
      await removeAll(bench, ids)
      return ms
    }, () => daemon.remove(workspace))
  }
}

/** Writes so many MiB to the end of a file in unused space of the guest. */
const fillHoles = (file: string, mib: number) => {
  const piece = Buffer.alloc(1024 * 1024, "used")
  const fd = fs.openSync(file, "r+")
  const { size } = fs.fstatSync(fd)
  for (let number = 1; number <= mib; number++) fs.writeSync(fd, piece, 0, piece.length, size - number * piece.length)
  fs.closeSync(fd)
}
