import { Effect, Result } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { NextStep } from "../../../contract/errors/next-step.ts"
import type { NetworkSetPayload } from "../../../contract/rows/workspace-network.ts"
import { judgeName } from "../../../lib/network/model/judge.ts"
import { THIS_HOST } from "../../../lib/network/model/name.ts"
import { parseHostRules, policyOff, type Rules } from "../../../lib/network/model/policy.ts"
import type { HostRule } from "../../../lib/network/model/rule.ts"
import { withOnce } from "../../../lib/network/once.ts"
import { touch } from "../../entry/activity.ts"
import type { Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import { allowPort, asksForNetwork, isEmpty, nothingGranted, recordedGrant, withPolicy } from "../policy/policy.ts"
import type { Network } from "./network.ts"
import { demandWithinCeiling, setNetwork, type UnderPolicy } from "./set.ts"

const refused = (detail: string, next: ReadonlyArray<NextStep> = []) =>
  Result.fail(new InvalidRequest({ field: "allow_once", detail, next }))

/** The one host that a text names. */
const onceRule = (text: string): Result.Result<HostRule, InvalidRequest> => {
  const parsed = parseHostRules(text)
  if (Result.isFailure(parsed)) return refused(parsed.failure.detail, parsed.failure.next)
  const [rule] = parsed.success
  if (rule === undefined || parsed.success.length > 1 || rule.match !== "exact" || rule.text !== text) {
    return refused(
      `${JSON.stringify(text)} names several hosts. A permission for one connection names one: example.com:443`
    )
  }
  return rule.name === THIS_HOST && rule.port === undefined
    ? refused(`${JSON.stringify(text)} is this host`, [allowPort("allow_once", undefined)])
    : Result.succeed(rule)
}

/** The hosts of a request, each of which the policy denies, and not by name. */
export const onceRules = (
  rules: Rules,
  payload: NetworkSetPayload
): Result.Result<ReadonlyArray<HostRule>, InvalidRequest> => {
  if (asksForNetwork(payload) || payload.noPackageCache) {
    return refused("is beside the policy, and takes no other option. Set the policy first")
  }
  return Result.flatMap(Result.all((payload.allowOnce ?? []).map(onceRule)), (all) => {
    for (const rule of all) {
      if (judgeName(rules, rule.name, rule.port)._tag === "Allowed") {
        return refused(`${JSON.stringify(rule.text)} is allowed by the policy already`)
      }
      const verdict = judgeName(withOnce(rules, [rule]), rule.name, rule.port)
      if (verdict._tag === "Denied") return refused(`${JSON.stringify(rule.text)} stays denied: ${verdict.reason}`)
    }
    return Result.succeed(all)
  })
}

/** A guest that never had a network gets the policy `off`: its requests then come to the host. */
const bringToHost = (entry: Entry, network: Network) =>
  Effect.andThen(
    entry.record.commit((record) => ({ ...record, residents: withPolicy(record.residents, policyOff) }), {
      durable: true
    }),
    network.change(nothingGranted)
  )

/** Allows one connection to each host of a request. The record has no permissions: a permission ends with the VM and with this process. */
const allowOnce = (entry: Entry, network: Network, payload: NetworkSetPayload) =>
  Effect.gen(function*() {
    const present = recordedGrant(yield* entry.record.now)
    const rules = yield* Effect.fromResult(onceRules((present ?? nothingGranted).rules, payload))
    const { allowOnce = [] } = payload
    yield* demandWithinCeiling(allowOnce)
    if (!network.isJudging()) {
      const detail = "needs a workspace that runs"
      return yield* new InvalidRequest({ field: "allow_once", detail })
    }
    if (present === undefined) yield* bringToHost(entry, network)
    network.allowOnce(rules)
    yield* recordEvent(entry.folder.directory, { _tag: "network", ...(present ?? nothingGranted).policy, allowOnce })
    yield* touch(entry.folder)
    return { resetCount: 0, revokedGrants: [], liftedDenials: [] }
  }).pipe(Effect.uninterruptible)

/** Replaces a workspace's policy, or allows connections beside the policy. The caller has exclusive access to the workspace. */
export const changeNetwork = (
  entry: Entry,
  residents: UnderPolicy,
  payload: NetworkSetPayload
) => isEmpty(payload.allowOnce) ? setNetwork(entry, residents, payload) : allowOnce(entry, residents.network, payload)
