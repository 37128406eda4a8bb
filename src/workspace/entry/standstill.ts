import { Effect } from "effect"
import type { Notice } from "../../contract/rows/notice.ts"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import type { VmTrouble } from "../../lib/vm/model/Vm.ts"

/** Reason why a guest cannot run now, or a sentence that the guest continues. */
export const troubleText = (trouble: VmTrouble): string =>
  trouble === "no-space"
    ? "the host's disk is full: the guest stands still and goes on when there is room"
    : trouble === "none"
    ? "there is room on the host's disk again: the guest goes on"
    : "the host's disk failed under the guest: what it wrote may be lost"

/** Detail of a workspace whose agent sends nothing. */
export const silentText =
  "the guest does not answer: stop and start the workspace to keep the files, or reset it to discard them"

/** Reason why a guest makes no progress now. `undefined` while the guest runs and answers. */
export type Standstill = Effect.Effect<string | undefined>

/** Interval of the checks of a guest whose command has a waiting caller, in ms. */
const LOOK_EVERY_MS = 10_000

/** Checks whether the agent answers. */
export const silenceOf = ({ call }: GuestChannel): Standstill =>
  Effect.match(call.ping({ payload: new Uint8Array() }), {
    onSuccess: () => undefined,
    onFailure: (failure) => failure._tag === "ChannelFailed" && failure.reason === "silent" ? silentText : undefined
  })

/** Waits until the reason differs from `before`, and gives the new reason. */
export const changeOf = (standstill: Standstill, before: string | undefined, everyMs = LOOK_EVERY_MS): Standstill =>
  Effect.repeat(Effect.delay(standstill, everyMs), { until: (now) => now !== before })

/** Notice of a change, for the waiting caller of a command. */
export const standstillNotice = (reason: string | undefined): Notice => ({
  _tag: "Notice",
  level: "warning",
  message: reason ?? "the guest goes on"
})
