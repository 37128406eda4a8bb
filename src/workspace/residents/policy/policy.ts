import { Result } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { type NextStep, option } from "../../../contract/errors/next-step.ts"
import type { AskedNetwork as PublicNetwork } from "../../../contract/rows/network-fields.ts"
import { named } from "../../../contract/text/names.ts"
import { snakeCase } from "../../../contract/text/snake.ts"
import { THIS_HOST } from "../../../lib/network/model/name.ts"
import { Policy, policyOff, readPolicy, type Rules } from "../../../lib/network/model/policy.ts"
import { isBadRule, isLoopbackRule, parseIpRule } from "../../../lib/network/model/rule.ts"
import { settingNow } from "../../../system/settings/config.ts"
import { decodeState, encodeState, type ResidentStates } from "../../entry/resident.ts"
import type { ResidentKind } from "../../entry/resident.ts"

/** A policy, and the same policy ready to judge. */
export interface Granted {
  readonly policy: Policy
  readonly rules: Rules
}

const refuse = (field: string, detail: string, next: ReadonlyArray<NextStep> = []) =>
  Result.fail(new InvalidRequest({ field, detail, next }))

/** Reads a policy that was judged before. Fails with the rule that cannot be read. */
export const grantedBy = (policy: Policy): Result.Result<Granted, InvalidRequest> =>
  Result.mapBoth(readPolicy(policy), {
    onFailure: ({ detail, field, next }) => new InvalidRequest({ field: snakeCase(field), detail, next }),
    onSuccess: (rules) => ({ policy, rules })
  })

export const isOn = ({ rules }: Granted): boolean => rules.networkPolicy !== "off"

/** The registries of images in a grant. */
export const imageRegistriesOf = (granted: Granted | undefined) =>
  (granted?.policy.imageRegistries ?? []).map((text) => {
    const at = text.lastIndexOf(":")
    return { host: text.slice(0, at), port: Number(text.slice(at + 1)) }
  })

/** The grant of a guest without a network. */
export const nothingGranted: Granted = Result.getOrThrow(grantedBy(policyOff))

export const isEmpty = (rules: ReadonlyArray<string> | undefined) => rules === undefined || rules.length === 0

/** A request for a network. pyro's own callers can set fields that a person cannot. */
export interface AskedNetwork extends PublicNetwork {
  /** See `Policy`. */
  readonly imageRegistries?: ReadonlyArray<string>
}

/** Whether a request says anything about the network. */
export const asksForNetwork = (
  { allowHosts, allowIps, denyHosts, networkPolicy, trustHostCertificates }: AskedNetwork
): boolean =>
  networkPolicy !== undefined || trustHostCertificates === true || !isEmpty(allowHosts) || !isEmpty(denyHosts) ||
  !isEmpty(allowIps)

/** The step that allows a service of this host, which is granted by its port. */
export const allowPort = (field: "allow_hosts" | "allow_once", port: number | undefined): NextStep =>
  option("Allow a service of this host by its port", field, [`${THIS_HOST}:${port ?? "PORT"}`])

/** Refuses ranges that a guest takes for its own loopback: no such connection reaches the host. */
const loopbackIssue = (text: string) => {
  const rule = parseIpRule(text)
  return isBadRule(rule) || !isLoopbackRule(rule)
    ? undefined
    : refuse("allow_ips", `${JSON.stringify(text)} is the guest's own loopback in the guest`, [
      allowPort("allow_hosts", rule.port)
    ])
}

const thisHostIssue = (text: string) =>
  text.toLowerCase().replace(/\.$/, "") === THIS_HOST
    ? refuse("allow_hosts", `${JSON.stringify(text)} is this host`, [allowPort("allow_hosts", undefined)])
    : undefined

/** Ways to a network. */
const OPEN = [
  option("Allow hosts", "allow_hosts"),
  option("Or allow every public host", "network_policy", "egress")
]

/** The grant that a request asks for. A list of hosts or addresses alone asks for `egress`. */
export const askedGrant = (asked: AskedNetwork): Result.Result<Granted, InvalidRequest> => {
  const { allowHosts = [], allowIps = [], denyHosts = [] } = asked
  const lists = { allow_hosts: allowHosts, allow_ips: allowIps, deny_hosts: denyHosts }
  const isOpening = allowHosts.length > 0 || allowIps.length > 0
  const networkPolicy = asked.networkPolicy ?? (isOpening ? "egress" : "off")
  const ruled = Object.entries(lists).find(([, rules]) => rules.length > 0)
  const trusts = asked.trustHostCertificates === true
  if (networkPolicy === "off" && (ruled !== undefined || trusts)) {
    const field = ruled?.[0] ?? "trust_host_certificates"
    return asked.networkPolicy === undefined
      ? refuse(field, "needs a network", OPEN)
      : refuse(field, "contradicts the policy off")
  }
  const isTrusting = networkPolicy !== "off" && (trusts || settingNow("PYRO_TRUST_HOST_CERTIFICATES") === "1")
  const issues = [...allowIps.map(loopbackIssue), ...allowHosts.map(thisHostIssue)]
  const issue = issues.find((one) => one !== undefined)
  if (issue !== undefined) return issue
  const cached = asked.noPackageCache === true ? { packageCache: false } : {}
  return grantedBy({
    networkPolicy,
    allowHosts,
    denyHosts,
    allowIps,
    ...cached,
    ...(isEmpty(asked.imageRegistries) ? {} : { imageRegistries: asked.imageRegistries! }),
    ...(isTrusting ? { trustHostCertificates: true } : {})
  })
}

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
