import { call, type NextStep, option } from "../../../contract/errors/next-step.ts"
import { optionSteps, policyStep, type PresentPolicy, type Remedy } from "../../../contract/rows/network-steps.ts"
import type { Told } from "../../../contract/rows/notice.ts"

/** Facts about the network that the end of a command reports. */
export interface NetworkNews {
  readonly steps: PolicySteps
  readonly isOn: () => boolean
  /** Whether the guest trusts the certificate authorities that this host trusts. */
  readonly trustsHost: () => boolean
  /** Position in the log, for `since`. */
  readonly position: () => number
  /** The denials after a position; none without any. */
  readonly since: (position: number) => ReadonlyArray<Told>
  /** Allowed connections after a position that the host could not make, or that the guest's program did not trust; none without any. */
  readonly failedSince: (position: number) => ReadonlyArray<Told>
}

/** The steps for a change of a machine's policy. */
export interface PolicySteps {
  readonly changing: (remedies: ReadonlyArray<Remedy>) => ReadonlyArray<NextStep>
  /** Allows a host that the caller chooses, in a machine without a network. */
  readonly opening: () => NextStep
}

/** For a machine whose policy is a part of the request that made it. */
export const fixedPolicySteps: PolicySteps = {
  changing: optionSteps,
  opening: () => option("Allow a host", "allow_hosts")
}

/** For a workspace, by its present name, or by its id without one. */
export const workspaceSteps = (workspace: () => string, policy: () => PresentPolicy): PolicySteps => ({
  changing: (remedies) => remedies.length === 0 ? [] : [policyStep(workspace(), policy(), remedies)],
  opening: () => call("Allow a host", "workspace.network.set", { workspace: workspace() }, "allow_hosts")
})
