import { Effect, Option, Stream } from "effect"
import { Pyro } from "../../src/contract/rows/Pyro.ts"
import { Workspace } from "../../src/sdk/handle.ts"
import type { Daemon } from "../daemon.ts"
import { bulkToConnection } from "../floors/channel.ts"
import { type Plan, side, timed } from "../measure.ts"
import { bareChannel } from "./stdout.ts"

const mib = 64
const bytes = mib * 1024 * 1024
const path = "file"
/** What a program gives to a write at a time. */
const piece = Buffer.alloc(65_536, "file")

type Files = Workspace["files"]

/** A workspace, and the files of its handle. */
const open = async (daemon: Daemon) => {
  const workspace = await daemon.create()
  const found = await daemon.call((pyro) => Effect.provideService(Workspace.get(workspace), Pyro, pyro))
  return { workspace, files: Option.getOrThrow(found).files, close: () => daemon.remove(workspace) }
}

const read = async (daemon: Daemon, { stream }: Files) => {
  let got = 0
  await daemon.call(() =>
    Stream.runForEach(stream(path), (one) =>
      Effect.sync(() => {
        got += one.length
      }))
  )
  if (got !== bytes) throw new Error(`${got} bytes of ${bytes} arrived`)
}

const write = async (daemon: Daemon, files: Files) => {
  const pieces = Stream.fromIterable(Array.from({ length: bytes / piece.length }, () => piece))
  const { sizeBytes } = await daemon.call(() => files.write(path, pieces))
  if (sizeBytes !== bytes) throw new Error(`${sizeBytes} bytes of ${bytes} were written`)
}

const perSecond = async (work: () => Promise<unknown>) => mib * 1000 / await timed(work)

const row = {
  unit: "MiB/s",
  budget: { kind: "ratio", atLeast: 0.6 },
  rounds: (runs: number) => Math.ceil(runs / 2),
  warmups: 1
} as const

export const fileRead: Plan = {
  ...row,
  name: "file-read",
  about:
    `${mib} MiB of a guest's file by the handle's stream, through the daemon; floor: the bare channel carries bytes of the agent's memory`,
  floor: bareChannel,
  ours: async ({ daemon }) => {
    const { close, files } = await open(daemon)
    await write(daemon, files)
    return side(() => perSecond(() => read(daemon, files)), close)
  }
}

export const fileWrite: Plan = {
  ...row,
  name: "file-write",
  about:
    `${mib} MiB by a stream of the handle to a guest's file, through the daemon; floor: the bare channel carries them, and a process of the guest gets them over loopback`,
  floor: async ({ floor }) => {
    const { vm } = await floor.restore("/bin/true")
    return side(() => perSecond(() => vm.channel.fill(bulkToConnection(mib), bytes)), vm.destroy)
  },
  ours: async ({ daemon }) => {
    const { close, files } = await open(daemon)
    return side(() => perSecond(() => write(daemon, files)), close)
  }
}

/** A change by a program of the guest. A write by the handle has a draft, whose change would come first. */
const change = (daemon: Daemon, workspace: string) => daemon.exec(workspace, "/bin/sh", "-c", `echo > ${path}`)

export const fileWatch: Plan = {
  name: "file-watch",
  unit: "ms",
  about:
    "a command that changes a file, until it has ended and a watch has told the change; floor: the same command alone. The guest gathers changes for 10 ms",
  budget: { kind: "ratio", atMost: 1, plus: 30 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(() => timed(() => change(daemon, workspace)), () => daemon.remove(workspace))
  },
  ours: async ({ daemon }) => {
    const { close, files, workspace } = await open(daemon)
    /** Each sample has a watch of its own: changes soon after others are told later. */
    const sample = () => {
      let since = 0
      return daemon.call(() =>
        files.watch().pipe(
          Stream.mapEffect((event) =>
            Effect.promise(async () => {
              if (event._tag !== "Watching") return event
              since = performance.now()
              await change(daemon, workspace)
              return event
            })
          ),
          Stream.takeUntil((event) => event._tag === "Changed" && event.changes.some((one) => one.path === path)),
          Stream.runDrain,
          Effect.map(() => performance.now() - since)
        )
      )
    }
    return side(sample, close)
  }
}
