import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Policy, policyOff } from "../../../../../src/lib/network/model/policy.ts"
import { liftedDenials, lostGrants } from "../../../../../src/workspace/residents/network/set.ts"
import { grantedBy } from "../../../../../src/workspace/residents/policy/policy.ts"

const grant = (policy: Partial<Policy>) =>
  Result.getOrThrow(grantedBy({ ...policyOff, networkPolicy: "egress", ...policy }))
const hosts = (...allowHosts: ReadonlyArray<string>) => grant({ allowHosts })
const ips = (...allowIps: ReadonlyArray<string>) => grant({ allowIps })
const off = grant({ networkPolicy: "off" })
const open = grant({})

describe("grants that a new policy does not have", () => {
  it("a new list of hosts loses the lists, hosts and addresses before it", () => {
    const before = grant({ allowHosts: ["pypi", "a.test", "b.test"], allowIps: ["10.0.0.1:80"] })
    assert.deepStrictEqual(lostGrants(before, hosts("b.test", "c.test")), ["pypi", "a.test", "10.0.0.1:80"])
    assert.deepStrictEqual(lostGrants(before, off), ["pypi", "a.test", "b.test", "10.0.0.1:80"])
  })

  it("no grant is lost to the policy off, to the same policy, or to a wider one", () => {
    const before = grant({ allowHosts: ["pypi", "a.test:443"], allowIps: ["203.0.113.7:80"] })
    assert.deepStrictEqual(lostGrants(off, hosts("a.test")), [])
    assert.deepStrictEqual(lostGrants(before, before), [])
    assert.deepStrictEqual(
      lostGrants(
        before,
        grant({ allowHosts: ["*.org", "*.pythonhosted.org", "*.test"], allowIps: ["203.0.113.0/24"] })
      ),
      []
    )
    assert.deepStrictEqual(lostGrants(hosts("pypi", "a.test"), open), [])
  })

  it("of a list that stays in part, the hosts that are gone are lost", () => {
    assert.deepStrictEqual(lostGrants(hosts("pypi"), hosts("pypi.org")), ["pypi (files.pythonhosted.org:443)"])
    const denied = grant({ allowHosts: ["npm"], denyHosts: ["registry.yarnpkg.com"] })
    assert.deepStrictEqual(lostGrants(hosts("npm"), denied), ["npm (registry.yarnpkg.com:443)"])
    assert.deepStrictEqual(lostGrants(hosts("a.test"), hosts("a.test:443")), ["a.test"])
  })

  it("a policy without a list allows every public host, and no service of this host and no address", () => {
    assert.deepStrictEqual(lostGrants(open, hosts("a.test")), ["every public host"])
    assert.deepStrictEqual(lostGrants(open, off), ["every public host"])
    assert.deepStrictEqual(lostGrants(open, hosts("*")), [])
    const before = grant({ allowHosts: ["host.pyro.internal:5432"], allowIps: ["10.0.0.1"] })
    assert.deepStrictEqual(lostGrants(before, open), ["host.pyro.internal:5432", "10.0.0.1"])
    assert.deepStrictEqual(lostGrants(before, hosts("*")), ["host.pyro.internal:5432", "10.0.0.1"])
  })

  it("a wide range opens no address of a private network", () => {
    assert.deepStrictEqual(lostGrants(ips("10.0.0.1"), ips("0.0.0.0/0")), ["10.0.0.1"])
    assert.deepStrictEqual(lostGrants(ips("10.0.0.1"), ips("10.0.0.0/8")), [])
    assert.deepStrictEqual(lostGrants(ips("10.0.0.1"), ips("10.0.0.1:80")), ["10.0.0.1"])
  })

  it("a host that the new policy denies is lost", () => {
    const denied = grant({ denyHosts: ["*.test"] })
    assert.deepStrictEqual(lostGrants(hosts("a.test", "b.example"), denied), ["a.test"])
    assert.deepStrictEqual(lostGrants(denied, denied), [])
    assert.deepStrictEqual(lostGrants(grant({ allowHosts: ["a.test"], denyHosts: ["a.test"] }), hosts("b.test")), [])
  })

  it("a denial is lifted if the new policy allows what it denied", () => {
    const before = grant({ denyHosts: ["a.test", "b.test"] })
    assert.deepStrictEqual(liftedDenials(before, grant({ denyHosts: ["b.test"] })), ["a.test"])
    assert.deepStrictEqual(liftedDenials(before, hosts("b.test")), ["b.test"])
    assert.deepStrictEqual(liftedDenials(before, hosts("c.test")), [])
    assert.deepStrictEqual(liftedDenials(before, before), [])
    assert.deepStrictEqual(liftedDenials(before, off), [])
  })

  it("ports of a model and the trust in certificates are grants", () => {
    const before = grant({
      networkPolicy: "egress+published-ports",
      allowHosts: ["a.test"],
      trustHostCertificates: true
    })
    assert.deepStrictEqual(lostGrants(before, hosts("a.test")), [
      "ports of a model",
      "trust in this host's certificates"
    ])
  })
})
