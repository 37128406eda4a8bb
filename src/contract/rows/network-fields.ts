import { Schema } from "effect"
import { boolean, described, flag, integer, list, must, number, optional, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy } from "./operation.ts"

const NetworkPolicyName = lazy(() => Schema.Literals(["off", "egress", "egress+published-ports"]))
type NetworkPolicyName = ReturnType<typeof NetworkPolicyName>["Type"]

/** Maximum number of rules in one list of a policy. */
export const MAX_RULES = 256
/** Maximum length of a rule: a host name has 253 characters at most. */
const MAX_RULE_CHARACTERS = 300

const rules = (description: string) =>
  optional(
    list(
      text("").pipe(
        must(
          (rule) => rule !== "" && rule.length <= MAX_RULE_CHARACTERS,
          `must be 1 to ${MAX_RULE_CHARACTERS} characters`
        )
      )
    ).pipe(
      must((all) => all.length <= MAX_RULES, `must have ${MAX_RULES} rules at most`),
      described(description)
    )
  )

const OF_NEW_GUEST = {
  policy: "Default: `off`, or `egress` if a host or an address is allowed",
  hosts: "Default: no network, or every public host with the policy egress"
}

/** Defaults of a request that must say something. */
export const OF_CHANGE: typeof OF_NEW_GUEST = {
  policy: "Not needed where a host or an address is allowed: `egress`",
  hosts: "With the policy egress and none: every public host"
}

/** The network that a request grants to a guest. */
export const networkFields = (defaults = OF_NEW_GUEST) => ({
  networkPolicy: optional(
    NetworkPolicyName().annotate({
      description:
        "Network of the guest. `off`: none. `egress`: TCP connections and look-ups of names, from the guest outwards. " +
        "`egress+published-ports`: also lets a model publish ports of the guest. " +
        defaults.policy
    })
  ),
  allowHosts: rules(
    "Host that the guest may connect to: NAME[:PORT], *.SUFFIX[:PORT], or a list of `pyro network lists`, such as npm. " +
      defaults.hosts
  ),
  denyHosts: rules("Host that the guest may not connect to, in the same forms. Wins over allow_hosts. Default: none"),
  allowIps: rules(
    "Address that the guest may connect to: IP[/BITS][:PORT] or [IPV6[/BITS]]:PORT. Private addresses and connections without a name need " +
      "such a rule. Default: none"
  ),
  noPackageCache: flag(
    "Use no cache of packages. By default, downloads of npm, pip, apt, cargo, go and Maven from registries that the policy allows are kept on the " +
      "host for all workspaces"
  ),
  trustHostCertificates: flag(
    "Let the guest's programs trust the certificate authorities that this host trusts beyond the public ones, such as that of a company's " +
      "TLS proxy. Default: `PYRO_TRUST_HOST_CERTIFICATES`, else they trust the public ones alone"
  )
})

/** Permissions for one connection each, of a workspace that runs. */
export const allowOnceField = () => ({
  allowOnce: rules(
    "Host that the guest may connect to once: NAME[:PORT], without a pattern or list. Beside the policy, which stays: takes no other option. " +
      "The next connection that the policy would deny uses the permission up. The permission also ends after ten minutes, with a stop, " +
      "pause or reset, with the daemon, and with the policy off. Default: none"
  )
})

/** The fields of a request's network. */
export interface AskedNetwork {
  readonly networkPolicy?: NetworkPolicyName
  readonly allowHosts?: ReadonlyArray<string>
  readonly denyHosts?: ReadonlyArray<string>
  readonly allowIps?: ReadonlyArray<string>
  readonly noPackageCache?: boolean
  readonly trustHostCertificates?: boolean
}

const rulesInForce = (description: string) => Schema.Array(Schema.String).annotate({ description })

/** Counts of a workspace's connections. */
const connectionCounts = () => ({
  open: integer("Connections that are open now"),
  allowed: integer("Connections that were made since create or the last reset"),
  denied: integer("Connections and look-ups that the policy denied since then"),
  failed: integer("Allowed connections that could not be made since then"),
  bytesOut: number("Bytes that left the guest since then"),
  bytesIn: number("Bytes that the guest received since then")
})

/** The network of a workspace, as `status` and `list` show it. */
export const NetworkInfo = lazy(() =>
  snakeStruct({
    networkPolicy: NetworkPolicyName().annotate({ description: "`off`, `egress` or `egress+published-ports`" }),
    allowHosts: rulesInForce("Hosts that the guest may connect to. Empty, as allow_ips: every public host"),
    denyHosts: rulesInForce("Hosts that the guest may not connect to"),
    allowIps: rulesInForce("Addresses that the guest may connect to"),
    allowOnce: optional(
      rulesInForce(
        "Hosts to each of which one more connection is allowed, within ten minutes. Absent if there are none"
      )
    ),
    trustHostCertificates: optional(boolean("`true`: the guest trusts the authorities of this host, too")),
    ...connectionCounts()
  })
)
export type NetworkInfo = ReturnType<typeof NetworkInfo>["Type"]

/** Fields that MCP results about a policy leave out: counts of connections, what their text tells, and the person's choice of certificates. */
export const networkDetails = [
  "open",
  "allowed",
  "denied",
  "failed",
  "bytes_out",
  "bytes_in",
  "allow_once",
  "trust_host_certificates"
] as const

/** Rules of a policy, which MCP results about counts leave out. */
export const networkRules = ["allow_hosts", "deny_hosts", "allow_ips", "allow_once", "trust_host_certificates"] as const
