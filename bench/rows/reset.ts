import { Effect, Stream } from "effect"
import { type Plan, side, timed } from "../measure.ts"

const command = ["/bin/cat", "/etc/debian_version"] as const

export const reset: Plan = {
  name: "reset",
  unit: "ms",
  about: "reset to the baseline and the first command done, pool warm; floor: create and the first command done",
  budget: { kind: "ratio", atMost: 1.2 },
  prototype: 40,
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ daemon }) =>
    side(async () => {
      await daemon.settled()
      let workspace = ""
      const ms = await timed(async () => {
        workspace = await daemon.create()
        await daemon.exec(workspace, ...command)
      })
      await daemon.remove(workspace)
      return ms
    }),
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(
      async () => {
        await daemon.exec(workspace, "/bin/sh", "-c", "echo dirt > /usr/dirt; rm -rf /etc/apt")
        await daemon.settled()
        return timed(async () => {
          await daemon.call((pyro) => Effect.asVoid(Stream.runDrain(pyro.workspace.reset({ workspace }))))
          await daemon.exec(workspace, ...command)
        })
      },
      () => daemon.remove(workspace)
    )
  }
}
