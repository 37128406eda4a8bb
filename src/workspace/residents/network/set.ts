import { Effect, Result } from "effect"
import { InvalidRequest, NetworkAboveCeiling } from "../../../contract/errors/errors.ts"
import { option } from "../../../contract/errors/next-step.ts"
import { ceilingText, type NetworkCeiling } from "../../../contract/rows/network-ceiling.ts"
import { MAX_RULES } from "../../../contract/rows/network-fields.ts"
import type { NetworkSetPayload } from "../../../contract/rows/workspace-network.ts"
import { callerCeiling } from "../../../contract/wire/caller-project.ts"
import { THIS_HOST } from "../../../lib/network/model/name.ts"
import { parseHostRules, parseIpRules, type Policy, type Rules } from "../../../lib/network/model/policy.ts"
import { allowsAddresses, allowsNames, type HostRule, includesNames } from "../../../lib/network/model/rule.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { touch } from "../../entry/activity.ts"
import type { Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import {
  askedGrant,
  type AskedNetwork,
  asksForNetwork,
  type Granted,
  isEmpty,
  nothingGranted,
  recordedGrant,
  withPolicy
} from "../policy/policy.ts"
import type { Network } from "./network.ts"

/** The rules of a text. A text that cannot be read has none: a ceiling is then lower, and the request is refused elsewhere. */
const rulesOf = <A>(parsed: Result.Result<ReadonlyArray<A>, unknown>) => Result.getOrElse(parsed, (): [] => [])

const hostRules = (text: string) => rulesOf(parseHostRules(text))

/** A request within a ceiling: `egress` without hosts means the hosts of the ceiling. */
const within = (asked: AskedNetwork, ceiling: NetworkCeiling): Result.Result<AskedNetwork, NetworkAboveCeiling> => {
  const above = (what: string) => Result.fail(new NetworkAboveCeiling({ asked: what, ceiling: ceilingText(ceiling) }))
  const { allowHosts = [], allowIps = [], networkPolicy } = asked
  if (networkPolicy === "off") return Result.succeed(asked)
  if (ceiling.networkPolicy === "off") return above("a network")
  if (networkPolicy === "egress+published-ports" && ceiling.networkPolicy === "egress") return above("a published port")
  // An address is no name: it reaches private networks.
  if (allowIps.length > 0) return above(`the address ${allowIps[0]}`)
  const ofThisHost = allowHosts.find((text) => hostRules(text).some(({ name }) => name === THIS_HOST))
  if (ceiling.allowHosts.length === 0) {
    return ofThisHost === undefined
      ? Result.succeed(asked)
      : above(`the host ${ofThisHost}`)
  }
  if (allowHosts.length === 0) return Result.succeed({ ...asked, allowHosts: ceiling.allowHosts })
  const highest = ceiling.allowHosts.flatMap(hostRules)
  const beyond = allowHosts.find((text) =>
    !hostRules(text).every((rule) => highest.some((one) => allowsNames(one, rule)))
  )
  return beyond === undefined ? Result.succeed(asked) : above(`the host ${beyond}`)
}

/** Fails unless the ceiling of the caller allows these hosts, as for `allowHosts`. */
export const demandWithinCeiling = (allowHosts: ReadonlyArray<string>): Effect.Effect<void, NetworkAboveCeiling> =>
  Effect.flatMap(
    callerCeiling,
    (ceiling) => ceiling === undefined ? Effect.void : Effect.asVoid(Effect.fromResult(within({ allowHosts }, ceiling)))
  )

/** The grant that a request asks for, within the ceiling of its caller. `undefined` for a request that says nothing about the network. */
export const grantOfCaller = (
  asked: AskedNetwork
): Effect.Effect<Granted | undefined, InvalidRequest | NetworkAboveCeiling> =>
  !asksForNetwork(asked)
    ? Effect.succeed(undefined)
    : Effect.flatMap(callerCeiling, (ceiling) =>
      Effect.fromResult(Result.flatMap(
        ceiling === undefined ? Result.succeed(asked) : within(asked, ceiling),
        (granted): Result.Result<Granted, InvalidRequest | NetworkAboveCeiling> => askedGrant(granted)
      )))

/** Whether a request names neither a policy nor a grant, and something beside them. */
const isAddition = (asked: AskedNetwork) =>
  asked.networkPolicy === undefined && isEmpty(asked.allowHosts) && isEmpty(asked.allowIps) &&
  (!isEmpty(asked.denyHosts) || asked.noPackageCache === true || asked.trustHostCertificates === true)

/**
 * A request for a workspace that has a policy. Denied hosts, no package cache and the trust in certificates, alone, are added to the policy: its
 * grants stay, and so do its denials. Any other request describes the whole policy, and so does a request for a workspace without a network.
 */
export const addedTo = (present: Policy, asked: AskedNetwork): Result.Result<AskedNetwork, InvalidRequest> => {
  if (present.networkPolicy === "off" || !isAddition(asked)) return Result.succeed(asked)
  const denyHosts = [...new Set([...present.denyHosts, ...asked.denyHosts ?? []])]
  return denyHosts.length > MAX_RULES
    ? Result.fail(
      new InvalidRequest({
        field: "deny_hosts",
        detail: `must have ${MAX_RULES} rules at most, together with those of the workspace`
      })
    )
    : Result.succeed({
      networkPolicy: present.networkPolicy,
      allowHosts: present.allowHosts,
      allowIps: present.allowIps,
      denyHosts,
      noPackageCache: present.packageCache === false || asked.noPackageCache === true,
      trustHostCertificates: present.trustHostCertificates === true || asked.trustHostCertificates === true
    })
}

const isOpen = (rules: Rules) => rules.networkPolicy !== "off" && !rules.isListed

const everyName: HostRule = { text: "*", match: "every", name: "", port: undefined }

const isDenied = ({ denyHosts }: Rules, rule: HostRule) => denyHosts.some((one) => includesNames(one, rule))

/** Whether a rule of names is in force. A part of its names may be denied. */
const allowsRule = (rules: Rules, rule: HostRule) =>
  rules.networkPolicy !== "off" && !isDenied(rules, rule) &&
  (isOpen(rules) ? [everyName] : rules.allowHosts).some((one) => allowsNames(one, rule))

const WITH_PORTS = "egress+published-ports"

/** Denials of a policy that the next policy does not have: the denied hosts are allowed then. */
export const liftedDenials = (before: Granted, { policy, rules }: Granted): ReadonlyArray<string> =>
  before.rules.networkPolicy === "off" ?
    [] :
    before.policy.denyHosts.filter((text) =>
      !policy.denyHosts.includes(text) && hostRules(text).some((rule) => allowsRule(rules, rule))
    )

/** Grants of a policy that the next policy does not have, in the words of the policy. */
export const lostGrants = (before: Granted, after: Granted): ReadonlyArray<string> => {
  if (before.rules.networkPolicy === "off") return []
  const { rules } = after
  const isLost = (rule: HostRule) => allowsRule(before.rules, rule) && !allowsRule(rules, rule)
  const allowIps = rules.networkPolicy === "off" ? [] : rules.allowIps
  return [
    ...(isOpen(before.rules) && isLost(everyName) ? ["every public host"] : []),
    ...before.policy.allowHosts.flatMap((text) => {
      const known = hostRules(text)
      const lost = known.filter(isLost)
      // If a part of a list stays, only the names that are gone.
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

/** Parts of a workspace that a policy affects. */
export interface UnderPolicy {
  readonly network: Network
  readonly ports: {
    /** Ends what the present policy does not allow. */
    readonly followPolicy: Effect.Effect<void>
  }
}

const unsaid = new InvalidRequest({
  field: "network_policy",
  detail: "is not given, and no host or address is allowed: a request names the whole policy",
  next: [option("Allow hosts", "allow_hosts"), option("Or take the network away", "network_policy", "off")]
})

/**
 * Replaces a workspace's policy: in the record first, then in this process and in the guest. Gives the number of reset connections and the lost grants.
 * If the guest cannot have a network, the policy before stays. After a crash, the next process brings the guest to the policy of the record.
 * The caller has exclusive access to the workspace.
 */
export const setNetwork = (
  entry: Entry,
  { network, ports }: UnderPolicy,
  payload: NetworkSetPayload
) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const present = recordedGrant(record) ?? nothingGranted
    const granted = yield* grantOfCaller(yield* Effect.fromResult(addedTo(present.policy, payload)))
    if (granted === undefined) return yield* unsaid
    const before = record.residents
    yield* entry.record.commit((record) => ({ ...record, residents: withPolicy(record.residents, granted.policy) }), {
      // A power cut must not bring back a wider policy.
      durable: true
    })
    faultPoint("network:committed")
    const resetCount = yield* Effect.onError(
      network.change(granted),
      () => Effect.ignoreCause(entry.record.commit((record) => ({ ...record, residents: before })))
    )
    faultPoint("network:changed")
    yield* recordEvent(entry.folder.directory, { _tag: "network", ...granted.policy })
    yield* ports.followPolicy
    yield* touch(entry.folder)
    return {
      resetCount,
      revokedGrants: lostGrants(present, granted),
      liftedDenials: liftedDenials(present, granted)
    }
  }).pipe(Effect.uninterruptible)
