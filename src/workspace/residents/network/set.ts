import { Effect, Ref } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { NetworkSetPayload } from "../../../contract/rows/workspace-network.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { touch } from "../../entry/activity.ts"
import { commit } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import type { OpenResidents } from "../open.ts"
import { addedTo } from "./add.ts"
import { grantOfCaller } from "./ceiling.ts"
import { liftedDenials, lostGrants } from "./lost.ts"
import { nothingGranted } from "./policy.ts"
import { recordedGrant, withPolicy } from "./state.ts"

const unsaid = new InvalidRequest({
  field: "network_policy",
  detail:
    "is not given, and no host or address is allowed. Name the whole policy, such as --allow-host npm or --network-policy off"
})

/**
 * Replaces a workspace's policy: in the record first, then in this process and in the guest. Gives the number of reset connections and the lost grants.
 * If the guest cannot have a network, the policy before stays. After a crash, the next process brings the guest to the policy of the record.
 * Its caller has the workspace alone.
 */
export const setNetwork = (
  entry: Entry,
  { network, ports }: Pick<OpenResidents, "network" | "ports">,
  payload: NetworkSetPayload
) =>
  Effect.gen(function*() {
    const record = yield* Ref.get(entry.record)
    const present = recordedGrant(record) ?? nothingGranted
    const granted = yield* grantOfCaller(yield* Effect.fromResult(addedTo(present.policy, payload)))
    if (granted === undefined) return yield* unsaid
    const before = record.residents
    yield* commit(entry, (record) => ({ ...record, residents: withPolicy(record.residents, granted.policy) }), {
      // A power cut must not bring back a wider policy.
      durable: true
    })
    faultPoint("network:committed")
    const resetCount = yield* Effect.onError(
      network.change(granted),
      () => Effect.ignoreCause(commit(entry, (record) => ({ ...record, residents: before })))
    )
    faultPoint("network:changed")
    yield* recordEvent(entry.folder.directory, { _tag: "network", ...granted.policy })
    yield* ports.followPolicy
    yield* touch(entry.folder)
    return {
      resetCount,
      noLongerAllowed: lostGrants(present, granted),
      noLongerDenied: liftedDenials(present, granted)
    }
  }).pipe(Effect.uninterruptible)
