import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readCeiling } from "../../../../../src/contract/rows/network-ceiling.ts"
import type { AskedNetwork } from "../../../../../src/contract/rows/network-fields.ts"
import { callerProject } from "../../../../../src/contract/wire/caller-project.ts"
import { type Policy, policyOff } from "../../../../../src/lib/network/model/policy.ts"
import { addedTo, grantOfCaller, lostGrants } from "../../../../../src/workspace/residents/network/set.ts"
import { grantedBy } from "../../../../../src/workspace/residents/policy/policy.ts"

const egress: Policy = { ...policyOff, networkPolicy: "egress" }

/** The policy after a request of a caller, or the code of the refusal. */
const changed = (present: Policy, asked: AskedNetwork, ceiling?: string) =>
  Effect.runSync(
    Effect.flatMap(Effect.fromResult(addedTo(present, asked)), grantOfCaller).pipe(
      Effect.match({ onFailure: ({ code }) => code, onSuccess: (granted) => granted?.policy ?? "nothing asked" }),
      Effect.provideService(
        callerProject,
        ceiling === undefined ? undefined : { project: "/p", all: false, networkCeiling: readCeiling(ceiling)! }
      )
    )
  )

const present: Policy = {
  networkPolicy: "egress+published-ports",
  allowHosts: ["pypi", "*.example.com"],
  denyHosts: ["a.example.com"],
  allowIps: ["10.0.0.1:80"]
}

/** Each option that says nothing of what is allowed. */
const additions: ReadonlyArray<readonly [asked: AskedNetwork, expected: Partial<Policy>]> = [
  [{ denyHosts: ["b.example.com", "a.example.com"] }, { denyHosts: ["a.example.com", "b.example.com"] }],
  [{ trustHostCertificates: true }, { trustHostCertificates: true }],
  [{ noPackageCache: true }, { packageCache: false }]
]

describe("options that are added to the policy of a workspace", () => {
  it.each(additions)("%j keeps the grants and denials of the policy", (asked, expected) => {
    assert.deepStrictEqual(changed(present, asked), { ...present, ...expected })
    const open = { ...egress, denyHosts: ["a.example.com"] }
    assert.deepStrictEqual(changed(open, asked), { ...open, ...expected })
  })

  it.each(additions)("%j keeps what was added before", (asked, expected) => {
    const before = { ...present, packageCache: false, trustHostCertificates: true }
    assert.deepStrictEqual(changed(before, asked), { ...before, ...expected })
  })

  it.each(additions)("%j grants a workspace without a network nothing", (asked) => {
    assert.isString(changed(policyOff, asked))
  })

  it("an allowed host or address, and a policy, describe the whole policy", () => {
    for (
      const asked of [
        { allowHosts: ["npm"] },
        { allowIps: ["10.0.0.2"] },
        { networkPolicy: "egress", denyHosts: ["b.test"] },
        { networkPolicy: "off" }
      ] as const
    ) {
      assert.deepStrictEqual(Result.getOrThrow(addedTo(present, asked)), asked)
    }
    assert.strictEqual(changed(present, {}), "nothing asked")
    assert.strictEqual(changed(present, { networkPolicy: "off", denyHosts: ["b.test"] }), "invalid_request")
  })

  it("denials that are added one by one have a bound", () => {
    const denyHosts = Array.from({ length: 256 }, (_, at) => `host${at}.test`)
    assert.isObject(changed({ ...egress, denyHosts }, { denyHosts: ["host1.test"] }))
    assert.strictEqual(changed({ ...egress, denyHosts }, { denyHosts: ["other.test"] }), "invalid_request")
  })

  it("the ceiling of a caller holds for the policy that would stay", () => {
    const asked = { denyHosts: ["b.example.com"] }
    const above = "network_above_ceiling"
    const hosts: Policy = { ...egress, allowHosts: ["npm", "a.test"] }
    for (const ceiling of ["off", "egress:npm", "egress:npm,b.test"]) {
      assert.strictEqual(changed(hosts, asked, ceiling), above, ceiling)
    }
    assert.strictEqual(changed({ ...egress, allowIps: ["10.0.0.1"] }, asked, "egress"), above)
    assert.strictEqual(changed({ ...hosts, networkPolicy: "egress+published-ports" }, asked, "egress"), above)
    assert.deepStrictEqual(changed(hosts, asked, "egress:npm,*.test,a.test"), { ...hosts, ...asked })
    // Every public host comes down to the ceiling's.
    assert.deepStrictEqual(changed(egress, asked, "egress:npm"), { ...egress, allowHosts: ["npm"], ...asked })
  })

  it("no addition widens a policy", () => {
    const policies = [present, egress, { ...egress, allowHosts: ["npm"] }, { ...egress, allowIps: ["10.0.0.1"] }]
    const grant = (policy: Policy) => Result.getOrThrow(grantedBy(policy))
    for (const before of policies) {
      for (const [asked] of additions) {
        for (const ceiling of [undefined, "off", "egress", "egress:npm", "egress+published-ports"]) {
          const after = changed(before, asked, ceiling)
          if (typeof after === "string") continue
          const lost = lostGrants(grant({ ...after, trustHostCertificates: false }), grant(before))
          assert.deepStrictEqual(lost, [], JSON.stringify([before, asked, ceiling]))
          for (const denied of before.denyHosts) assert.include(after.denyHosts, denied)
        }
      }
    }
  })
})
