import { grantCommand, liftCommand, type PresentPolicy } from "../../../contract/rows/network-text.ts"

/** The option by which a guest trusts the certificate authorities that this host trusts. */
export const TRUST_OPTION = "--trust-host-certificates"

/** Facts about the network that the end of a command reports. */
export interface NetworkNews {
  readonly words: PolicyWords
  readonly isOn: () => boolean
  /** Whether the guest trusts the certificate authorities that this host trusts. */
  readonly trustsHost: () => boolean
  /** Position in the log, for `since`. */
  readonly position: () => number
  /** One sentence about the denials after a position; `undefined` without any. */
  readonly since: (position: number) => string | undefined
  /** One sentence about allowed connections after a position that the host could not make; `undefined` without any. */
  readonly failedSince: (position: number) => string | undefined
}

/** The words to type for a change of a machine's policy. */
export interface PolicyWords {
  /** Words that add options to the policy. */
  readonly granting: (options: ReadonlyArray<string>) => string
  /** Words that remove denied hosts from the policy, as the end of a sentence. */
  readonly lifting: (denyHosts: ReadonlyArray<string>) => string
}

/** The options alone, for a machine whose policy is fixed. */
export const aloneInWords: PolicyWords = {
  granting: (options) => options.join(" "),
  lifting: () => "leave the option out"
}

/** Whole commands, for a workspace by its present name, or by its id without one. */
export const workspaceWords = (workspace: () => string, policy: () => PresentPolicy): PolicyWords => ({
  granting: (options) => grantCommand(workspace(), policy(), options),
  lifting: (denyHosts) => `name the policy anew without it: ${liftCommand(workspace(), policy(), denyHosts)}`
})
