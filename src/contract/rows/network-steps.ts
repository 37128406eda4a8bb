import { call, type NextStep, option, words } from "../errors/next-step.ts"
import type { NetworkInfo } from "./network-fields.ts"
import type { NetworkRecord } from "./workspace-network.ts"

/** A change of a policy that would allow a request. */
export type Remedy = NonNullable<NetworkRecord["remedy"]>

/** A policy, as a workspace has it or shows it. */
export type PresentPolicy =
  & Pick<NetworkInfo, "allowHosts" | "allowIps" | "denyHosts" | "networkPolicy" | "trustHostCertificates">
  & { readonly packageCache?: boolean | undefined }

/** Maximum characters of the rules in a step: a policy may have hundreds. */
const MAX_CHARACTERS = 800

const rulesFor = (remedies: ReadonlyArray<Remedy>, field: Remedy["field"]) => [
  ...new Set(remedies.flatMap((one) => one.field === field && one.rule !== undefined ? [one.rule] : []))
]

const ifAny = (rules: ReadonlyArray<string>) => rules.length === 0 ? undefined : rules

const trusted = (remedies: ReadonlyArray<Remedy>) =>
  remedies.some(({ field }) => field === "trust_host_certificates") ? true : undefined

/** What a request for the changed policy says. The trust in certificates alone is added to a policy; any other request replaces the policy. */
const requestFor = (present: PresentPolicy, remedies: ReadonlyArray<Remedy>) => {
  const hosts = rulesFor(remedies, "allow_hosts")
  const ips = rulesFor(remedies, "allow_ips")
  const lifted = rulesFor(remedies, "deny_hosts")
  if (present.networkPolicy === "off" || hosts.length + ips.length + lifted.length === 0) {
    return { allow_hosts: ifAny(hosts), allow_ips: ifAny(ips), trust_host_certificates: trusted(remedies) }
  }
  const isOpen = present.allowHosts.length + present.allowIps.length === 0
  // The first list closes all other hosts.
  const opened = isOpen && hosts.length + ips.length > 0 ? ["*"] : present.allowHosts
  const allowHosts = ifAny([...opened, ...hosts])
  const allowIps = ifAny([...present.allowIps, ...ips])
  const isSaid = present.networkPolicy === "egress" && (allowHosts ?? allowIps) !== undefined
  return {
    network_policy: isSaid ? undefined : present.networkPolicy,
    allow_hosts: allowHosts,
    deny_hosts: ifAny(present.denyHosts.filter((rule) => !lifted.includes(rule))),
    allow_ips: allowIps,
    no_package_cache: present.packageCache === false ? true : undefined,
    trust_host_certificates: present.trustHostCertificates === true ? true : trusted(remedies)
  }
}

/** What a change is for, as the label of a step. The guest chose the host, so each label says when the change is right. */
const labelOf = (remedies: ReadonlyArray<Remedy>) =>
  trusted(remedies) === true
    ? "If a proxy signs it that this host trusts, let the guest trust it too"
    : remedies.every(({ field }) => field === "deny_hosts")
    ? "If the user agrees, lift the denial"
    : "If the task needs it, allow it"

/** The step that changes the policy of a workspace. It repeats the present grants, since a request replaces the policy. */
export const policyStep = (workspace: string, present: PresentPolicy, remedies: ReadonlyArray<Remedy>): NextStep => {
  const request = requestFor(present, remedies)
  if (JSON.stringify(request).length <= MAX_CHARACTERS) {
    return call(labelOf(remedies), "workspace.network.set", { workspace, ...request })
  }
  const rules = remedies.flatMap(({ field, rule }) => rule === undefined ? [] : [`${rule} (${field})`]).join(" and ")
  return words(`Set the network again, with its present rules and ${rules} changed`)
}

/** The steps for a guest whose policy is a part of the request that made it. */
export const optionSteps = (remedies: ReadonlyArray<Remedy>): ReadonlyArray<NextStep> => {
  const label = labelOf(remedies)
  const lists = (["allow_hosts", "allow_ips"] as const).flatMap((field) => {
    const rules = rulesFor(remedies, field)
    return rules.length === 0 ? [] : [option(label, field, rules)]
  })
  return [
    ...lists,
    ...(trusted(remedies) === true ? [option(label, "trust_host_certificates", true)] : []),
    ...(rulesFor(remedies, "deny_hosts").length === 0 ? [] : [words("Leave the denied host out of the request")])
  ]
}
