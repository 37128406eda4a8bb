import { Result } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { type AskedNetwork, MAX_RULES } from "../../../contract/rows/network-fields.ts"
import type { Policy } from "../../../network/policy.ts"

const isEmpty = (rules: ReadonlyArray<string> | undefined) => rules === undefined || rules.length === 0

/** Whether a request names neither a policy nor a grant, and something beside them. */
const isAddition = (asked: AskedNetwork) =>
  asked.networkPolicy === undefined && isEmpty(asked.allowHosts) && isEmpty(asked.allowIps) &&
  (!isEmpty(asked.denyHosts) || asked.noPackageCache === true || asked.trustHostCertificates === true)

/**
 * A request for a workspace that has a policy. Denied hosts, no package cache and the trust in certificates, alone, are added to the policy: its
 * grants stay, and so do its denials. Any other request describes the whole policy, and so does one to a workspace without a network.
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
