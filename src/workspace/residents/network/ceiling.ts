import { Effect, Result } from "effect"
import { type InvalidRequest, NetworkAboveCeiling } from "../../../contract/errors/errors.ts"
import { ceilingText, type NetworkCeiling } from "../../../contract/rows/network-ceiling.ts"
import type { AskedNetwork } from "../../../contract/rows/network-fields.ts"
import { callerCeiling } from "../../../contract/wire/caller-project.ts"
import { THIS_HOST } from "../../../network/name.ts"
import { parseHostRules } from "../../../network/policy.ts"
import { allowsNames, type HostRule } from "../../../network/rule.ts"
import { askedGrant, asksForNetwork, type Granted } from "./policy.ts"

/** The rules of some texts, without those that cannot be read: the ceiling is then lower, and the request is refused elsewhere. */
const rulesOf = (texts: ReadonlyArray<string>): ReadonlyArray<HostRule> =>
  texts.flatMap((text) => Result.getOrElse(parseHostRules(text), () => []))

/** A request within a ceiling: `egress` without hosts means the hosts of the ceiling. */
const within = (asked: AskedNetwork, ceiling: NetworkCeiling): Result.Result<AskedNetwork, NetworkAboveCeiling> => {
  const above = (what: string) => Result.fail(new NetworkAboveCeiling({ asked: what, ceiling: ceilingText(ceiling) }))
  const { allowHosts = [], allowIps = [], networkPolicy } = asked
  if (networkPolicy === "off") return Result.succeed(asked)
  if (ceiling.networkPolicy === "off") return above("a network")
  if (networkPolicy === "egress+published-ports" && ceiling.networkPolicy === "egress") return above("a published port")
  // An address is no name: it reaches private networks.
  if (allowIps.length > 0) return above(`the address ${allowIps[0]}`)
  const ofThisHost = allowHosts.find((text) => rulesOf([text]).some(({ name }) => name === THIS_HOST))
  if (ceiling.allowHosts.length === 0) {
    return ofThisHost === undefined
      ? Result.succeed(asked)
      : above(`the host ${ofThisHost}`)
  }
  if (allowHosts.length === 0) return Result.succeed({ ...asked, allowHosts: ceiling.allowHosts })
  const highest = rulesOf(ceiling.allowHosts)
  const beyond = allowHosts.find((text) =>
    !rulesOf([text]).every((rule) => highest.some((one) => allowsNames(one, rule)))
  )
  return beyond === undefined ? Result.succeed(asked) : above(`the host ${beyond}`)
}

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
