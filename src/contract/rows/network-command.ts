import { typed } from "../text/shell-words.ts"
import type { NetworkInfo } from "./network-fields.ts"

/** A policy, as a workspace has it or shows it. */
export type PresentPolicy =
  & Pick<NetworkInfo, "allowHosts" | "allowIps" | "denyHosts" | "networkPolicy" | "trustHostCertificates">
  & { readonly packageCache?: boolean | undefined }

/** A policy has hundreds of rules at most; nobody reads a hint of them all. */
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

/** The command that names the policy of a workspace anew, without some of its denied hosts. */
export const liftCommand = (workspace: string, policy: PresentPolicy, denyHosts: ReadonlyArray<string>): string =>
  grantCommand(workspace, { ...policy, denyHosts: policy.denyHosts.filter((rule) => !denyHosts.includes(rule)) }, [
    `--network-policy ${policy.networkPolicy}`
  ])
