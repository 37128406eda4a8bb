import { Effect, Option } from "effect"
import type { Policy } from "../../../network/policy.ts"
import type { Resident } from "../../entry/resident.ts"
import type { Network } from "./network.ts"
import { grantOf } from "./state.ts"

const granted = (kept: Option.Option<Policy>) => Option.getOrUndefined(Option.map(kept, grantOf))

/**
 * A workspace's network as a resident. Open connections end with their VM: a copy of its memory has none. The policy is the workspace record's,
 * also after a reset to a snapshot that was taken under another one. The log outlives resets.
 */
export const networkResident = (network: Network): Resident<Policy> => ({
  begin: (vm, kept) => network.begin(vm, granted(kept)),
  adopt: (vm, kept) => network.adopt(vm, granted(kept)),
  lose: () => network.lose,
  clear: network.log.reset,
  describe: Effect.sync(() => ({ network: network.info() }))
})
