import { type Plan, side, timed } from "../measure.ts"

const command = ["/bin/cat", "/etc/debian_version"] as const

export const restore: Plan = {
  name: "restore",
  unit: "ms",
  about:
    "from nothing to the end of the first command, no pool: memory copied, VM restored, made unique, disk mounted, " +
    "cat run; floor: the same in the fewest steps; ours: run, in process",
  budget: { kind: "ratio", atMost: 1.3 },
  prototype: 188,
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ floor }) =>
    side(async () => {
      let started: Awaited<ReturnType<typeof floor.restore>> | undefined
      const ms = await timed(async () => (started = await floor.restore(...command)))
      await started?.vm.destroy()
      if (!/^\d+\.\d+/.test(started?.output ?? "")) throw new Error(`the floor's guest printed ${started?.output}`)
      return ms
    }),
  ours: async ({ product }) => side(() => product.run(command))
}
