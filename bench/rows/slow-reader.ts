import { spawn } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"
import { residentMib } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"

const mib = 64
const bytes = mib * 1024 * 1024
/** The reader does nothing at first, then takes 16 MiB a second. */
const stallMs = 1500
const paceMsPerMib = 62

export const slowReader: Plan = {
  name: "slow-reader",
  unit: "MiB",
  about:
    `growth of pyro's resident memory while ${mib} MiB of stdout are read after a stall and slowly; all bytes must arrive`,
  budget: { kind: "absolute", atMost: 32 },
  rounds: (runs) => Math.ceil(runs / 10),
  warmups: 0,
  ours: async ({ alone, environment, pyro }) =>
    side(async () => {
      const [program = "", ...args] = pyro
      const child = spawn(program, [...args, "run", environment, "--", "head", "-c", String(bytes), "/dev/zero"], {
        stdio: ["ignore", "pipe", "inherit"],
        env: alone
      })
      const pid = child.pid ?? 0
      const status = new Promise<number | null>((resolve) => child.once("close", resolve))
      let [before, most, got] = [0, 0, 0]
      const look = () => (most = Math.max(most, residentMib(pid)))
      const timer = setInterval(look, 50)
      try {
        for await (const piece of child.stdout as AsyncIterable<Buffer>) {
          if (got === 0) {
            before = residentMib(pid)
            most = before
            await sleep(stallMs)
          }
          const wholeBefore = Math.floor(got / 1_048_576)
          got += piece.length
          const whole = Math.floor(got / 1_048_576) - wholeBefore
          if (whole > 0) await sleep(whole * paceMsPerMib)
        }
        const code = await status
        if (got !== bytes || code !== 0) throw new Error(`${got} bytes of ${bytes} arrived, status ${code}`)
        return most - before
      } finally {
        clearInterval(timer)
        child.kill("SIGTERM")
      }
    })
}
