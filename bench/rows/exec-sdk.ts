import type { Bench } from "../bench.ts"
import { echo, mustSucceed, timedExec } from "../floors/channel.ts"
import { openRequests } from "../floors/request.ts"
import { guestRoot } from "../floors/template.ts"
import type { FloorVm } from "../floors/vm.ts"
import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

const command = "/bin/true"
/** Commands of one round. Three thousand precede those that count: until then V8 interprets much of this code. */
const count = 100

const guestCommand = timedExec(guestRoot, command)

/**
 * A guest and an idle process. Every sample asks both in turn, for either figure: each evicts the other's code from the host's
 * caches, as in any process that runs commands for others.
 */
const inTurn = async (
  { floor, floorSources, room }: Bench,
  once: (vm: FloorVm, request: () => Promise<unknown>) => Promise<number>
) => {
  const { vm } = await floor.restore(command)
  const { close, request } = await openRequests(room.disk, floorSources)
  return side(() => inARow(() => once(vm, request), count), async () => {
    await close()
    await vm.destroy()
  })
}

export const execSdk: Plan = {
  name: "exec-sdk",
  unit: "ms",
  about:
    "/bin/true in a workspace through the daemon; floor: an echo over the channel, and vfork + exec + wait as the guest times it; " +
    "granted on top: a request to another process that does nothing, by the request library alone; in turn, as a daemon's are",
  budget: { kind: "ratio", atMost: 1.3 },
  prototype: 2.5,
  rounds: (runs) => runs,
  warmups: 30,
  floor: (bench) =>
    inTurn(bench, async ({ channel }, request) => {
      await request()
      const ms = await timed(() => channel.call(echo))
      const answers = await channel.call(guestCommand)
      mustSucceed([guestCommand], answers)
      return ms + Number(answers[0]?.payload.readBigUInt64LE()) / 1e6
    }),
  granted: (bench) =>
    inTurn(bench, async ({ channel }, request) => {
      await channel.call(guestCommand)
      return timed(request)
    }),
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    const run = daemon.prepared(workspace, command)
    return side(() => inARow(() => timed(run), count), () => daemon.remove(workspace))
  }
}
