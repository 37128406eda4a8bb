import type { NetworkInfo } from "./network-fields.ts"
import type { NetworkRecord } from "./workspace-network.ts"

/** Whether a guest has no network. */
const isOff = (network: Pick<NetworkInfo, "networkPolicy"> | undefined): boolean =>
  network === undefined || network.networkPolicy === "off"

/** The dropped grants and denials of the former policy, a line each. None if the new policy is off. */
export const droppedLines = (
  { revokedGrants, liftedDenials, workspace: { network } }: {
    readonly revokedGrants: ReadonlyArray<string>
    readonly liftedDenials: ReadonlyArray<string>
    readonly workspace: { readonly network?: Pick<NetworkInfo, "networkPolicy"> | undefined }
  }
): ReadonlyArray<string> =>
  isOff(network) ? [] : [
    ...(revokedGrants.length === 0 ? [] : [`no longer allowed: ${revokedGrants.join(", ")}`]),
    ...(liftedDenials.length === 0 ? [] : [`no longer denied: ${liftedDenials.join(", ")}`])
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

/** The change of a policy that would allow a request, by the names that the fields have on a surface. */
export const remedyText = ({ field, rule }: NonNullable<NetworkRecord["remedy"]>, nameOf: (field: string) => string) =>
  field === "deny_hosts"
    ? `denied by ${nameOf(field)} ${rule}`
    : `to allow: ${nameOf(field)}${rule === undefined ? "" : ` ${rule}`}`
