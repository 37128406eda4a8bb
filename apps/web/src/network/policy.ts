import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import type { NetworkRecord } from "../../../../src/contract/rows/workspace-network.ts"
import { ask } from "../wire/calls.ts"

type Policy = NonNullable<WorkspaceInfo["network"]>

/** The rule for the name of a record: NAME:PORT. Undefined for an address, which needs a rule of another kind, and for a flood. */
export const ruleOf = ({ host, port }: Pick<NetworkRecord, "host" | "port">): string | undefined =>
  host === "*" || /^[\d.]+$|:/.test(host) ? undefined : port === undefined ? host : `${host}:${port}`

/** Whether one more allowed name widens the policy. A policy for every public host would become narrower. */
export const mayAllow = ({ allowHosts, allowIps, networkPolicy }: Policy): boolean =>
  networkPolicy === "off" || allowHosts.length + allowIps.length > 0

/** Whether the workspace uses no package cache, by the newest policy in its event log: a new policy must say so again. */
const isWithoutCache = async (workspace: string) => {
  const { events } = await ask("workspace.events", { workspace, limit: 1_000 })
  return events.findLast(({ kind }) => kind === "network")?.details["package_cache"] === false
}

/** Sets the present policy with changed lists, for the rest of the workspace's life. */
export const setPolicy = async (
  workspace: string,
  present: Policy,
  change: { readonly allowHosts?: ReadonlyArray<string>; readonly denyHosts?: ReadonlyArray<string> }
) => {
  const allowHosts = [...new Set([...present.allowHosts, ...change.allowHosts ?? []])]
  const denyHosts = [...new Set([...present.denyHosts, ...change.denyHosts ?? []])]
  await ask("workspace.network.set", {
    workspace,
    networkPolicy: present.networkPolicy === "off" ? "egress" : present.networkPolicy,
    // A denied name that is now allowed would stay denied.
    denyHosts: denyHosts.filter((rule) => !(change.allowHosts ?? []).includes(rule)),
    ...(allowHosts.length === 0 ? {} : { allowHosts }),
    ...(present.allowIps.length === 0 ? {} : { allowIps: present.allowIps }),
    noPackageCache: await isWithoutCache(workspace),
    trustHostCertificates: present.trustHostCertificates === true
  })
}

/** The rule for the name of a denied record that no rule names; a name that a rule denies stays denied, and an address has no such permission. */
export const onceRuleOf = (record: Pick<NetworkRecord, "host" | "outcome" | "port" | "remedy">): string | undefined =>
  record.outcome === "denied" && record.remedy?.field === "allow_hosts" ? ruleOf(record) : undefined

/** Allows one connection beside the policy, which stays. */
export const allowOnce = (workspace: string, rule: string) =>
  ask("workspace.network.set", { workspace, allowOnce: [rule] })

/** Takes the whole network away. */
export const closeNetwork = (workspace: string) => ask("workspace.network.set", { workspace, networkPolicy: "off" })
