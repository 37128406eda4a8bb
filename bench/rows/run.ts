import { runProgram } from "../host-process.ts"
import { type Plan, side, timed } from "../measure.ts"
import { emptyNode } from "./version.ts"

export const run: Plan = {
  name: "run",
  unit: "ms",
  about: "`pyro run ENV -- true` as a process, until it has exited; floor: `node -e 0` plus the restore floor",
  budget: { kind: "ratio", atMost: 1.3, plus: 100 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ floor }) =>
    side(async () => {
      const node = await runProgram(emptyNode)
      let started: Awaited<ReturnType<typeof floor.restore>> | undefined
      const ms = await timed(async () => (started = await floor.restore("/bin/true")))
      await started?.vm.destroy()
      return node.ms + ms
    }),
  ours: async ({ alone, environment, pyro }) =>
    side(async () => (await runProgram([...pyro, "run", environment, "--", "true"], 0, alone)).ms)
}
