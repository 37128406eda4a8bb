import { echo, mustSucceed, timedExec } from "../floors/channel.ts"
import { openEcho } from "../floors/socket.ts"
import { guestRoot } from "../floors/template.ts"
import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

const command = "/bin/true"

export const execSdk: Plan = {
  name: "exec-sdk",
  unit: "ms",
  about:
    "/bin/true in a workspace through the daemon; floor: an echo over the channel, vfork + exec + wait as the guest times " +
    "it, and a round trip to another process",
  budget: { kind: "ratio", atMost: 1.3 },
  prototype: 2.5,
  rounds: (runs) => 4 * runs,
  warmups: 4,
  floor: async ({ floor, room }) => {
    const { vm } = await floor.restore(command)
    const request = timedExec(guestRoot, command)
    const socket = await openEcho(room.disk)
    return side(() =>
      inARow(async () => {
        const ms = await timed(socket.echo) + await timed(() => vm.channel.call(echo))
        const answers = await vm.channel.call(request)
        mustSucceed([request], answers)
        return ms + Number(answers[0]?.payload.readBigUInt64LE()) / 1e6
      }), async () => {
      await socket.close()
      await vm.destroy()
    })
  },
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(() => inARow(() => timed(() => daemon.exec(workspace, command))), () => daemon.remove(workspace))
  }
}
