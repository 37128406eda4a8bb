import { spawn } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"
import { descendants, proportionalMib } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"

/** Work that a guest defers after its first command (timers) is over by then. */
const settleMs = 1500

export const idleMemory: Plan = {
  name: "idle-memory",
  unit: "MiB",
  about:
    "proportional set size of a VM's processes, guest memory included, alone on the host and idle after its first command; floor: a bare " +
    "QEMU. The budget of a workspace is idle-workspace's",
  budget: { kind: "ratio", atMost: 1.3 },
  prototype: 64,
  rounds: (runs) => Math.ceil(runs / 5),
  warmups: 0,
  floor: async ({ floor }) =>
    side(async () => {
      const { vm } = await floor.restore("/bin/true")
      try {
        await sleep(settleMs)
        return proportionalMib([vm.pid])
      } finally {
        await vm.destroy()
      }
    }),
  ours: async ({ alone, environment, pyro }) =>
    side(async () => {
      const [program = "", ...args] = pyro
      const child = spawn(program, [...args, "run", environment, "--", "sh", "-c", "true; echo up; exec sleep 60"], {
        stdio: ["ignore", "pipe", "pipe"],
        env: alone
      })
      let said = ""
      child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text))
      const ended = new Promise<"ended">((resolve) => child.once("close", () => resolve("ended")))
      const up = new Promise<"up">((resolve) => child.stdout.once("data", () => resolve("up")))
      try {
        if (await Promise.race([up, ended]) === "ended") throw new Error(`pyro run ended at once: ${said.trim()}`)
        await sleep(settleMs)
        return proportionalMib(descendants(child.pid ?? 0))
      } finally {
        child.kill("SIGTERM")
        await ended
      }
    })
}
