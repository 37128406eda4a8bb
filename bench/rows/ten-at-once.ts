import { runProgram } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"

const count = 10

export const tenAtOnce: Plan = {
  name: "ten-at-once",
  unit: "runs",
  about: "how many of ten `pyro run` started at the same moment print what they should and exit 0",
  budget: { kind: "ratio", atLeast: 1 },
  rounds: (runs) => Math.ceil(runs / 10),
  warmups: 0,
  floor: async () => side(async () => count),
  ours: async ({ environment, pyro }) =>
    side(async () => {
      const ended = await Promise.allSettled(
        Array.from({ length: count }, (_, index) =>
          runProgram([...pyro, "run", environment, "--", "sh", "-c", `echo number ${index}`]))
      )
      for (const one of ended) {
        if (one.status === "rejected") {
          process.stderr.write(`${String(one.reason)}\n`)
        }
      }
      return ended.filter((one, index) =>
        one.status === "fulfilled" && one.value.stdout === `number ${index}\n`
      ).length
    })
}
