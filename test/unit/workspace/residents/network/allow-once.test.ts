import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { readCeiling } from "../../../../../src/contract/rows/network-ceiling.ts"
import { NetworkSetPayload } from "../../../../../src/contract/rows/workspace-network.ts"
import { callerProject } from "../../../../../src/contract/wire/caller-project.ts"
import { policyOff, readPolicy } from "../../../../../src/lib/network/model/policy.ts"
import { onceRules } from "../../../../../src/workspace/residents/network/allow-once.ts"
import { demandWithinCeiling } from "../../../../../src/workspace/residents/network/set.ts"

const rulesOf = (fields: object) => Result.getOrThrow(readPolicy({ ...policyOff, networkPolicy: "egress", ...fields }))
const off = Result.getOrThrow(readPolicy(policyOff))
const listed = rulesOf({ allowHosts: ["a.test:443"], denyHosts: ["denied.test"] })

/** The permissions that a request asks for, or why it is refused. */
const asked = (rules: typeof off, fields: object) =>
  Result.match(onceRules(rules, Schema.decodeSync(NetworkSetPayload())({ workspace: "w", ...fields } as never)), {
    onFailure: ({ detail, field }) => `${field} ${detail}`,
    onSuccess: (all) => all.map(({ name, port }) => [name, port])
  })

describe("a request to allow a connection", () => {
  it("one host is named, with a port or without", () => {
    assert.deepStrictEqual(asked(listed, { allow_once: ["B.test:443", "c.test"] }), [["b.test", 443], [
      "c.test",
      undefined
    ]])
    assert.deepStrictEqual(asked(off, { allow_once: ["host.pyro.internal:11434"] }), [["host.pyro.internal", 11434]])
  })

  it.each([
    ["*.test", /names several hosts/],
    ["*", /names several hosts/],
    ["npm", /names several hosts/],
    ["203.0.113.1", /is an address/],
    ["a.test:443", /is allowed by the policy already/],
    ["denied.test:80", /stays denied: the rule denied\.test of the denied hosts/],
    ["host.pyro.internal", /is this host/]
  ])("%s is refused", (text, detail) => assert.match(String(asked(listed, { allow_once: [text] })), detail))

  it("a policy of every public host has nothing to allow once", () => {
    assert.match(String(asked(rulesOf({}), { allow_once: ["b.test"] })), /allowed by the policy already/)
  })

  it.each([
    { allow_hosts: ["c.test"] },
    { deny_hosts: ["c.test"] },
    { network_policy: "off" },
    { no_package_cache: true },
    { trust_host_certificates: true }
  ])(
    "%j beside it is refused",
    (more) => assert.match(String(asked(listed, { allow_once: ["b.test"], ...more })), /takes no other option/)
  )

  it.each([
    ["egress:b.test", undefined],
    ["egress:*.test", undefined],
    ["egress:b.test:443", "network_above_ceiling"],
    ["egress:a.test", "network_above_ceiling"],
    ["off", "network_above_ceiling"]
  ])("under the ceiling %s, a model is refused as with an allowed host: %s", (ceiling, code) =>
    assert.strictEqual(
      Effect.runSync(
        demandWithinCeiling(["b.test"]).pipe(
          Effect.match({ onFailure: (failure) => failure.code, onSuccess: () => undefined }),
          Effect.provideService(callerProject, { project: "/p", all: false, networkCeiling: readCeiling(ceiling)! })
        )
      ),
      code
    ))
})
