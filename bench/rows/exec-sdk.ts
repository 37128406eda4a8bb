import { echo, mustSucceed, timedExec } from "../floors/channel.ts"
import { openRequests } from "../floors/request.ts"
import { guestRoot } from "../floors/template.ts"
import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

const command = "/bin/true"
/** Commands of one round. Three thousand go before those that count: until then V8 interprets much of what is asked here. */
const count = 100

export const execSdk: Plan = {
  name: "exec-sdk",
  unit: "ms",
  about:
    "/bin/true in a workspace through the daemon; floor: an echo over the channel, and vfork + exec + wait as the guest times it; " +
    "granted on top: a request to another process that does nothing, by the request library alone, one after each of the floor's commands",
  budget: { kind: "ratio", atMost: 1.3 },
  prototype: 2.5,
  rounds: (runs) => runs,
  warmups: 30,
  floor: async ({ floor }) => {
    const { vm } = await floor.restore(command)
    const request = timedExec(guestRoot, command)
    return side(() =>
      inARow(async () => {
        const ms = await timed(() => vm.channel.call(echo))
        const answers = await vm.channel.call(request)
        mustSucceed([request], answers)
        return ms + Number(answers[0]?.payload.readBigUInt64LE()) / 1e6
      }, count), vm.destroy)
  },
  granted: async ({ floor, floorSources, room }) => {
    const { vm } = await floor.restore(command)
    const { close, request } = await openRequests(room.disk, floorSources)
    return side(() =>
      inARow(async () => {
        await vm.channel.call(timedExec(guestRoot, command))
        return timed(request)
      }, count), async () => {
      await close()
      await vm.destroy()
    })
  },
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    const run = daemon.prepared(workspace, command)
    return side(() => inARow(() => timed(run), count), () => daemon.remove(workspace))
  }
}
