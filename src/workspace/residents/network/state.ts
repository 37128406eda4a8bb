import { Result } from "effect"
import { named } from "../../../contract/text/names.ts"
import { Policy } from "../../../network/policy.ts"
import { decodeState, encodeState, type ResidentKind, type ResidentStates } from "../../entry/resident.ts"
import { type Granted, grantedBy, nothingGranted } from "./policy.ts"

/**
 * How a workspace stores its policy. The record of the workspace has the state, and no snapshot: a snapshot would bring back a wider policy.
 */
export const networkKind: ResidentKind<Policy, typeof Policy.Encoded> = {
  key: "network",
  state: Policy,
  upgrades: []
}

/** The states of a record with another policy. */
export const withPolicy = (states: ResidentStates, policy: Policy): ResidentStates =>
  named([...Object.entries(states), [networkKind.key, encodeState(networkKind, policy)]])

/** The policy alone: the other states stay with the workspace that has them. */
export const policyStates = (states: ResidentStates): ResidentStates =>
  named(Object.entries(states).filter(([key]) => key === networkKind.key))

/** The grant of a stored policy. A rule that a newer list or parser refuses grants nothing. */
export const grantOf = (policy: Policy): Granted => Result.getOrElse(grantedBy(policy), () => nothingGranted)

/** The grant that a record has. `undefined` for a workspace that never had a network. */
export const recordedGrant = ({ residents }: { readonly residents: ResidentStates }): Granted | undefined => {
  const stored = residents[networkKind.key]
  return stored === undefined ? undefined : Result.match(decodeState(networkKind, "", stored), {
    onFailure: () => nothingGranted,
    onSuccess: grantOf
  })
}
