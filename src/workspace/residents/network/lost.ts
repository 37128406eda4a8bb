import { Result } from "effect"
import { parseHostRules, parseIpRules, type Rules } from "../../../network/policy.ts"
import { allowsAddresses, allowsNames, type HostRule, includesNames } from "../../../network/rule.ts"
import type { Granted } from "./policy.ts"

const isOpen = (rules: Rules) => rules.networkPolicy !== "off" && !rules.isListed

const everyName: HostRule = { text: "*", match: "every", name: "", port: undefined }

const isDenied = ({ denyHosts }: Rules, rule: HostRule) => denyHosts.some((one) => includesNames(one, rule))

/** Whether a rule of names is in force. A part of its names may be denied. */
const allowsRule = (rules: Rules, rule: HostRule) =>
  rules.networkPolicy !== "off" && !isDenied(rules, rule) &&
  (isOpen(rules) ? [everyName] : rules.allowHosts).some((one) => allowsNames(one, rule))

const rulesOf = <A>(parsed: Result.Result<ReadonlyArray<A>, string>) => Result.getOrElse(parsed, (): [] => [])

const WITH_PORTS = "egress+published-ports"

/** The denials of a policy that the policy after it lifts: what they denied is allowed then. */
export const liftedDenials = (before: Granted, { policy, rules }: Granted): ReadonlyArray<string> =>
  before.rules.networkPolicy === "off" ?
    [] :
    before.policy.denyHosts.filter((text) =>
      !policy.denyHosts.includes(text) && rulesOf(parseHostRules(text)).some((rule) => allowsRule(rules, rule))
    )

/** The grants of a policy that the policy after it does not have, in the words of the policy. */
export const lostGrants = (before: Granted, after: Granted): ReadonlyArray<string> => {
  if (before.rules.networkPolicy === "off") return []
  const { rules } = after
  const isLost = (rule: HostRule) => allowsRule(before.rules, rule) && !allowsRule(rules, rule)
  const allowIps = rules.networkPolicy === "off" ? [] : rules.allowIps
  return [
    ...(isOpen(before.rules) && isLost(everyName) ? ["every public host"] : []),
    ...before.policy.allowHosts.flatMap((text) => {
      const known = rulesOf(parseHostRules(text))
      const lost = known.filter(isLost)
      // Of a list that stays, only the names that are gone.
      return lost.length === known.length ? lost.length === 0 ? [] : [text] : lost.map((rule) => rule.text)
    }),
    ...before.policy.allowIps.filter((text) =>
      rulesOf(parseIpRules(text)).some((rule) => !allowIps.some((one) => allowsAddresses(one, rule)))
    ),
    ...(before.rules.networkPolicy === WITH_PORTS && rules.networkPolicy !== WITH_PORTS ? ["ports of a model"] : []),
    ...(before.policy.trustHostCertificates === true && after.policy.trustHostCertificates !== true
      ? ["trust in this host's certificates"]
      : [])
  ]
}
