import { runProgram } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"

export const emptyNode = [process.execPath, "-e", "0"] as const

export const version: Plan = {
  name: "version",
  unit: "ms",
  about: "`pyro --version` as a process; floor: `node -e 0`",
  budget: { kind: "ratio", atMost: 1.5 },
  rounds: (runs) => 2 * runs,
  warmups: 2,
  floor: async () => side(async () => (await runProgram(emptyNode)).ms),
  ours: async ({ pyro }) => side(async () => (await runProgram([...pyro, "--version"])).ms)
}
