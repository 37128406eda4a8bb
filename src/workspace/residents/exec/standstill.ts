import { Effect } from "effect"
import type { Notice } from "../../../contract/rows/notice.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { goesOnText, silentText } from "../../entry/trouble.ts"

/** Why a guest makes no progress now; `undefined` while the guest runs and answers. */
export type Standstill = Effect.Effect<string | undefined>

/** Interval of the checks of a guest with a waiting caller, in `ms`. */
const LOOK_EVERY_MS = 10_000

/** Asks the agent for a sign of life. */
export const silenceOf = ({ call }: GuestChannel): Standstill =>
  Effect.match(call.ping({ payload: new Uint8Array() }), {
    onSuccess: () => undefined,
    onFailure: (failure) => failure._tag === "ChannelFailed" && failure.reason === "silent" ? silentText : undefined
  })

/** Ends once the reason is another than `before`, with that. */
export const changeOf = (standstill: Standstill, before: string | undefined, everyMs = LOOK_EVERY_MS): Standstill =>
  Effect.repeat(Effect.delay(standstill, everyMs), { until: (now) => now !== before })

/** Notice of a change for the waiting caller of a command. */
export const standstillNotice = (reason: string | undefined): Notice => ({
  _tag: "Notice",
  level: "warning",
  message: reason ?? goesOnText
})
