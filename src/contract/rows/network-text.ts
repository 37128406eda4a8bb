import { typed } from "../text/printable.ts"
import type { NetworkInfo } from "./network-fields.ts"
import type { NetworkRecord } from "./workspace-network.ts"

/** Whether a guest has no network. */
const isOff = (network: Pick<NetworkInfo, "networkPolicy"> | undefined): boolean =>
  network === undefined || network.networkPolicy === "off"

/** The dropped grants and denials of the former policy, a line each. None if the new policy is off. */
export const droppedLines = (
  { noLongerAllowed, noLongerDenied, workspace: { network } }: {
    readonly noLongerAllowed: ReadonlyArray<string>
    readonly noLongerDenied: ReadonlyArray<string>
    readonly workspace: { readonly network?: Pick<NetworkInfo, "networkPolicy"> | undefined }
  }
): ReadonlyArray<string> =>
  isOff(network) ? [] : [
    ...(noLongerAllowed.length === 0 ? [] : [`no longer allowed: ${noLongerAllowed.join(", ")}`]),
    ...(noLongerDenied.length === 0 ? [] : [`no longer denied: ${noLongerDenied.join(", ")}`])
  ]

/** A policy in one line. */
export const policyText = (
  { allowHosts, allowIps, allowOnce = [], denyHosts, networkPolicy, trustHostCertificates }: Pick<
    NetworkInfo,
    "allowHosts" | "allowIps" | "allowOnce" | "denyHosts" | "networkPolicy" | "trustHostCertificates"
  >
): string => {
  const once = allowOnce.length === 0 ? [] : [`once to ${allowOnce.join(", ")}`]
  if (networkPolicy === "off") return ["off", ...once].join("; ")
  const allowed = [...allowHosts, ...allowIps]
  return [
    allowed.length === 0 ? "egress to every public host" : `egress to ${allowed.join(", ")}`,
    ...(networkPolicy === "egress" ? [] : ["a model may publish ports"]),
    ...(denyHosts.length === 0 ? [] : [`never to ${denyHosts.join(", ")}`]),
    ...(trustHostCertificates === true ? ["the guest trusts this host's certificates"] : []),
    ...once
  ].join("; ")
}

/** Whether there are connections to count: a workspace without a network may have had one, or may have tried. */
export const hasConnections = (
  { allowed, denied, failed, networkPolicy, open }: Pick<
    NetworkInfo,
    "allowed" | "denied" | "failed" | "networkPolicy" | "open"
  >
): boolean => networkPolicy !== "off" || open + allowed + denied + failed > 0

/** Counts of connections in one line. */
export const connectionsText = (
  { allowed, denied, failed, open }: Pick<NetworkInfo, "allowed" | "denied" | "failed" | "open">
): string => `${open} open, ${allowed} over, ${denied} denied, ${failed} failed`

/** Subject of an entry of the log, or of an open connection. */
export const subjectText = (one: Pick<NetworkRecord, "address" | "host" | "kind" | "port">): string => {
  switch (one.kind) {
    case "connection":
      return targetText(one)
    case "datagrams":
      return `datagrams to ${targetText(one)}`
    case "lookup":
      return `look-up of ${targetText(one)}`
    case "flood":
      return "requests"
  }
}

/** Target of a connection: `name:port`, and the address if it differs. */
export const targetText = ({ address, host, port }: Pick<NetworkRecord, "address" | "host" | "port">): string => {
  const named = host.includes(":") && port !== undefined ? `[${host}]` : host
  return `${named}${port === undefined ? "" : `:${port}`}${
    address === undefined || address === host ? "" : ` (${address})`
  }`
}

/** A policy, as a workspace has it or shows it. */
export type PresentPolicy =
  & Pick<NetworkInfo, "allowHosts" | "allowIps" | "denyHosts" | "networkPolicy" | "trustHostCertificates">
  & { readonly packageCache?: boolean | undefined }

/** Maximum characters of a hint: a policy may have hundreds of rules. */
const MAX_CHARACTERS = 800

/** Options that make a command describe the whole policy. */
const REPLACING = /--(allow-|network-policy)/

const each = (option: string, values: ReadonlyArray<string>) => values.flatMap((value) => [option, value])

/** Options that describe a whole policy, for a command that also has `options`. */
const presentOptions = (
  { allowHosts, allowIps, denyHosts, networkPolicy, packageCache, trustHostCertificates }: PresentPolicy,
  options: string
): ReadonlyArray<string> => {
  // Other options are added to the policy.
  if (networkPolicy === "off" || !REPLACING.test(options)) return []
  const isOpen = allowHosts.length + allowIps.length === 0
  return [
    ...(networkPolicy === "egress" || options.includes("--network-policy") ? [] : ["--network-policy", networkPolicy]),
    // The first list closes all other hosts.
    ...each("--allow-host", isOpen && options.includes("--allow-") ? ["*"] : allowHosts),
    ...each("--deny-host", denyHosts),
    ...each("--allow-ip", allowIps),
    ...(packageCache === false ? ["--no-package-cache"] : []),
    ...(trustHostCertificates === true ? ["--trust-host-certificates"] : [])
  ]
}

/**
 * The command that adds options, such as `--allow-host a.test:443`, to the policy of a workspace. `network set` replaces the policy, so the command
 * repeats the present grants.
 */
export const grantCommand = (workspace: string, policy: PresentPolicy, options: ReadonlyArray<string>): string => {
  const added = options.join(" ")
  const command = `${typed(["pyro", "network", "set", workspace, ...presentOptions(policy, added)])} ${added}`
  return command.length <= MAX_CHARACTERS ? command : `${added} beside the present grants (pyro status ${workspace})`
}

/** The command that sets the policy of a workspace again, without some of its denied hosts. */
export const liftCommand = (workspace: string, policy: PresentPolicy, denyHosts: ReadonlyArray<string>): string =>
  grantCommand(workspace, { ...policy, denyHosts: policy.denyHosts.filter((rule) => !denyHosts.includes(rule)) }, [
    `--network-policy ${policy.networkPolicy}`
  ])
