import { Effect, Schema, Stream } from "effect"
import { RewindPayload } from "../../src/contract/rows/workspace-rewind.ts"
import type { Bench } from "../bench.ts"
import type { Daemon } from "../daemon.ts"
import { type Plan, side, timed } from "../measure.ts"

const command = ["/bin/cat", "/etc/debian_version"] as const
const writing = ["/bin/sh", "-c", "head -c 100000 /dev/urandom > /workspace/written"] as const

/** Commands in a row that take longer than the time between two points. */
const IN_A_ROW = 150

/** Mean time of a command that writes, of many in a row: each point in between counts. */
const writingIn = async (daemon: Daemon) => {
  const workspace = await daemon.create()
  return side(async () =>
    (await timed(async () => {
      for (let at = 0; at < IN_A_ROW; at++) await daemon.exec(workspace, ...writing)
    })) / IN_A_ROW, () => daemon.remove(workspace))
}

export const execPoints: Plan = {
  name: "exec-points",
  unit: "ms",
  about: `a command that writes, mean of ${IN_A_ROW} in a row, with points of rewind; floor: the same without points`,
  budget: { kind: "ratio", atMost: 1.1 },
  rounds: (runs) => runs,
  warmups: 1,
  floor: ({ bareDaemon }: Bench) => writingIn(bareDaemon),
  ours: ({ daemon }: Bench) => writingIn(daemon)
}

/** A return and the first command after it. */
const back = async (
  { daemon }: Bench,
  go: (workspace: string) => Promise<unknown>
) => {
  const workspace = await daemon.create()
  return side(async () => {
    // The first command has no point before it.
    await daemon.exec(workspace, ...writing)
    await daemon.exec(workspace, "/bin/sh", "-c", "echo dirt > /usr/dirt; rm -rf /etc/apt")
    await daemon.settled()
    return timed(async () => {
      await go(workspace)
      await daemon.exec(workspace, ...command)
    })
  }, () => daemon.remove(workspace))
}

export const rewind: Plan = {
  name: "rewind",
  unit: "ms",
  about: "rewind to before a command and the first command done, pool warm; floor: reset and the first command done",
  budget: { kind: "ratio", atMost: 1.3 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: (bench) =>
    back(
      bench,
      (workspace) => bench.daemon.call((pyro) => Effect.asVoid(Stream.runDrain(pyro.workspace.reset({ workspace }))))
    ),
  ours: (bench) =>
    back(bench, (workspace) =>
      bench.daemon.call((pyro) =>
        Effect.gen(function*() {
          const payload = yield* Effect.orDie(Schema.decodeUnknownEffect(RewindPayload())({ workspace, steps: 1 }))
          return yield* Stream.runDrain(pyro.workspace.rewind(payload))
        })
      ))
}
