import { echo, mustSucceed, timedExec } from "../floors/channel.ts"
import { guestRoot } from "../floors/template.ts"
import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

const command = "/bin/true"

export const exec: Plan = {
  name: "exec",
  unit: "ms",
  about: "/bin/true in a running VM; floor: an echo over the channel plus vfork + exec + wait as the guest times it; " +
    "ours: spawned in a cgroup of its own, output read to its end, exit status taken",
  budget: { kind: "ratio", atMost: 1.3 },
  prototype: 2.5,
  rounds: (runs) => 4 * runs,
  warmups: 4,
  floor: async ({ floor }) => {
    const { vm } = await floor.restore(command)
    const request = timedExec(guestRoot, command)
    return side(() =>
      inARow(async () => {
        const ms = await timed(() => vm.channel.call(echo))
        const answers = await vm.channel.call(request)
        mustSucceed([request], answers)
        return ms + Number(answers[0]?.payload.readBigUInt64LE()) / 1e6
      }), vm.destroy)
  },
  ours: async ({ product }) => {
    const vm = await product.vm()
    return side(() => inARow(() => timed(() => vm.exec(command))), vm.destroy)
  }
}
