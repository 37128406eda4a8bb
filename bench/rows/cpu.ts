import { Schema } from "effect"
import { FileReadPayload } from "../../src/contract/rows/workspace-file.ts"
import type { Daemon } from "../daemon.ts"
import { cpuMs } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Operations of one sample: the kernel counts processor time in steps of 10 ms. */
const commands = 200
const workspaces = 5
/** A pool of two is full by then. */
const refilledMs = 3_000
const idleSeconds = 10

/** Processor time of the daemon's own process for one of `count` operations, in ms. */
const each = async (daemon: Daemon, count: number, work: () => Promise<unknown>) => {
  const pid = await daemon.pid()
  const before = cpuMs(pid)
  for (let one = 0; one < count; one++) await work()
  return (cpuMs(pid) - before) / count
}

const row = (name: string, about: string, atMost: number, ours: Plan["ours"], warmups = 1): Plan => ({
  name,
  unit: "ms",
  about: `processor time of the daemon's process, without QEMU and other programs: ${about}`,
  budget: { kind: "absolute", atMost },
  rounds: () => 3,
  warmups,
  ours
})

export const cpuExec = row("cpu-exec", `one of ${commands} commands in a workspace`, 2.5, async ({ daemon }) => {
  const workspace = await daemon.create()
  const run = daemon.prepared(workspace, "/bin/true")
  return side(() => each(daemon, commands, run), () => daemon.remove(workspace))
})

export const cpuFileRead = row("cpu-file-read", `one of ${commands} reads of a small file`, 2.5, async ({ daemon }) => {
  const workspace = await daemon.create()
  await daemon.exec(workspace, "/bin/sh", "-c", "echo content > /workspace/file")
  const payload = Schema.decodeSync(FileReadPayload())({ workspace, path: "file" })
  const read = () => daemon.call((pyro) => pyro.workspace.file.read(payload))
  return side(() => each(daemon, commands, read), () => daemon.remove(workspace))
})

export const cpuCreate = row(
  "cpu-create",
  "a workspace from the pool, and the refill of the pool",
  35,
  async ({ daemon }) => {
    await daemon.settled()
    let made: Array<string> = []
    return side(async () => {
      const ms = await each(daemon, workspaces, async () => {
        made.push(await daemon.create())
        await sleep(refilledMs)
      })
      for (const workspace of made) await daemon.remove(workspace)
      made = []
      return ms
    })
  }
)

export const cpuDelete = row("cpu-delete", "the deletion of a workspace", 10, async ({ daemon }) =>
  side(async () => {
    const made: Array<string> = []
    for (let one = 0; one < workspaces; one++) made.push(await daemon.create())
    await sleep(refilledMs)
    return each(daemon, workspaces, () => daemon.remove(made.pop()!))
  }))

export const cpuIdle = row(
  "cpu-idle",
  `a second with ${workspaces} idle workspaces`,
  1,
  async ({ daemon }) => {
    const made: Array<string> = []
    for (let one = 0; one < workspaces; one++) made.push(await daemon.create())
    await sleep(refilledMs)
    return side(
      () => each(daemon, 1, () => sleep(idleSeconds * 1000)).then((ms) => ms / idleSeconds),
      async () => {
        for (const workspace of made) await daemon.remove(workspace)
      }
    )
  },
  0
)
