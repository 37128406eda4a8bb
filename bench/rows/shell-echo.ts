import type { Bench } from "../bench.ts"
import { mustSucceed, terminalEcho } from "../floors/channel.ts"
import { openRequests } from "../floors/request.ts"
import { type Plan, side, timed } from "../measure.ts"
import { apart } from "./in-a-row.ts"
import { openKeys } from "./keys.ts"

/** Keys of one round. */
export const KEYS = 50
/** Pause between two keys, in ms: a held key repeats 25 to 40 times in a second, and nobody types as fast. */
export const PAUSE_MS = 25

/** One request that the guest answers with the echo of a byte by a terminal. */
export const echoFloor = async ({ floor }: Pick<Bench, "floor">) => {
  const { vm } = await floor.restore("/bin/true")
  const key = async () => mustSucceed([terminalEcho], await vm.channel.call(terminalEcho))
  return side(() => apart(() => timed(key), PAUSE_MS, KEYS), vm.destroy)
}

export const shellEcho: Plan = {
  name: "shell-echo",
  unit: "ms",
  about:
    "one key through an attached terminal: daemon, guest, its terminal's echo, and back; floor: one request over the channel that the " +
    "guest answers with the echo of one byte by a terminal; granted on top: a request to another process that does nothing",
  budget: { kind: "ratio", atMost: 1.5 },
  rounds: (runs) => runs,
  warmups: 3,
  floor: echoFloor,
  granted: async ({ floorSources, room }) => {
    const { close, request } = await openRequests(room.disk, floorSources)
    return side(() => apart(() => timed(request), PAUSE_MS, KEYS), close)
  },
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    const { close, key } = await openKeys(daemon, workspace)
    return side(() => apart(() => timed(key), PAUSE_MS, KEYS), async () => {
      await close()
      await daemon.remove(workspace)
    })
  }
}
