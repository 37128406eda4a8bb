import { type Plan, side, timed } from "../measure.ts"

const command = ["/bin/cat", "/etc/debian_version"] as const

export const createWarm: Plan = {
  name: "create-warm",
  unit: "ms",
  about:
    "workspace created and its first command done, over the socket, pool warm; floor: a member claimed by a script: disk " +
    "switched in, reseeded, mounted, cat run",
  budget: { kind: "ratio", atMost: 1.5 },
  prototype: 30,
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ floor }) =>
    side(async () => {
      const { claim, vm } = await floor.member()
      // A member has waited for a while before its claim.
      await new Promise((resolve) => setTimeout(resolve, 300))
      let output = ""
      const ms = await timed(async () => (output = await claim(...command)))
      await vm.destroy()
      if (!/^\d+\.\d+/.test(output)) throw new Error(`the floor's guest printed ${output}`)
      return ms
    }),
  ours: async ({ daemon }) =>
    side(async () => {
      await daemon.settled()
      let workspace = ""
      const ms = await timed(async () => {
        workspace = await daemon.create()
        await daemon.exec(workspace, ...command)
      })
      await daemon.remove(workspace)
      return ms
    })
}

export const createEmpty: Plan = {
  name: "create-empty",
  unit: "ms",
  about: "workspace created and its first command done, over the socket, no pool; floor: copy + restore by a script",
  budget: { kind: "ratio", atMost: 1.3 },
  prototype: 188,
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ floor }) =>
    side(async () => {
      let started: Awaited<ReturnType<typeof floor.restore>> | undefined
      const ms = await timed(async () => (started = await floor.restore(...command)))
      await started?.vm.destroy()
      return ms
    }),
  ours: async ({ bareDaemon }) =>
    side(async () => {
      let workspace = ""
      const ms = await timed(async () => {
        workspace = await bareDaemon.create()
        await bareDaemon.exec(workspace, ...command)
      })
      await bareDaemon.remove(workspace)
      return ms
    })
}
