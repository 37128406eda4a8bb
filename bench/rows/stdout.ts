import type { Bench } from "../bench.ts"
import { bulk, mount, mustSucceed, relay } from "../floors/channel.ts"
import { guestRoot } from "../floors/template.ts"
import { type Plan, type Side, side, timed } from "../measure.ts"

const mib = 64
const bytes = mib * 1024 * 1024
const command = ["/bin/dd", "if=/dev/zero", "bs=64k", `count=${bytes / 65_536}`, "status=none"] as const

const perSecond = async (work: () => Promise<unknown>) => mib * 1000 / await timed(work)

const inProcess = async ({ product }: Bench) => {
  const vm = await product.vm()
  return side(() =>
    perSecond(async () => {
      const got = await vm.exec(...command)
      if (got !== bytes) throw new Error(`${got} bytes of ${bytes} arrived`)
    }), vm.destroy)
}

export const stdout: Plan = {
  name: "stdout",
  unit: "MiB/s",
  about:
    `${mib} MiB of one command's stdout; floor: the same command's pipe poured over the bare channel, without frames, ` +
    "credit or a copy kept; ours: spawned, streamed in process",
  budget: { kind: "ratio", atLeast: 0.6 },
  prototype: 86,
  rounds: (runs) => Math.ceil(runs / 2),
  warmups: 1,
  floor: async ({ floor }) => {
    const { vm } = await floor.restore("/bin/true")
    const dev = mount("/dev", `${guestRoot}/dev`, "bind")
    mustSucceed([dev], await vm.channel.call(dev))
    return side(() => perSecond(() => vm.channel.pour(relay(guestRoot, ...command), bytes)), vm.destroy)
  },
  ours: inProcess
}

export const stdoutSdk: Plan = {
  name: "stdout-sdk",
  unit: "MiB/s",
  about: `${mib} MiB of one command's stdout through the daemon to a program; floor: the same in process`,
  budget: { kind: "ratio", atLeast: 0.8 },
  rounds: (runs) => Math.ceil(runs / 2),
  warmups: 1,
  floor: inProcess,
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(() =>
      perSecond(async () => {
        const got = await daemon.exec(workspace, ...command)
        if (got !== bytes) throw new Error(`${got} bytes of ${bytes} arrived`)
      }), () => daemon.remove(workspace))
  }
}

/** Rate of the channel without a pipe to read from; shown beside the floors. */
export const bareChannel = async ({ floor }: Bench): Promise<Side> => {
  const { vm } = await floor.restore("/bin/true")
  return side(() => perSecond(() => vm.channel.pour(bulk(mib), bytes)), vm.destroy)
}
