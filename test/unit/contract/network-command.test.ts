import { assert, describe, it } from "@effect/vitest"
import { grantCommand, type PresentPolicy } from "../../../src/contract/rows/network-text.ts"
import { askedGrant } from "../../../src/workspace/residents/policy/policy.ts"

const policy = (more: Partial<PresentPolicy>): PresentPolicy => ({
  networkPolicy: "egress",
  allowHosts: [],
  denyHosts: [],
  allowIps: [],
  ...more
})

describe("the command that adds a grant", () => {
  const option = "--allow-host a.test:443"

  it("the command repeats every grant of the policy", () => {
    const present = policy({
      networkPolicy: "egress+published-ports",
      allowHosts: ["pypi", "*.example.com"],
      denyHosts: ["b.test"],
      allowIps: ["[2001:db8::1]:80"],
      packageCache: false,
      trustHostCertificates: true
    })
    assert.strictEqual(
      grantCommand("fix", present, [option]),
      "pyro network set fix --network-policy egress+published-ports --allow-host pypi --allow-host '*.example.com' " +
        "--deny-host b.test --allow-ip '[2001:db8::1]:80' --no-package-cache --trust-host-certificates --allow-host a.test:443"
    )
  })

  it("a guest without a network has no grants to repeat", () => {
    assert.strictEqual(
      grantCommand("fix", policy({ networkPolicy: "off" }), ["--network-policy egress"]),
      "pyro network set fix --network-policy egress"
    )
  })

  it("a first list of addresses keeps every public host", () => {
    const command = grantCommand("fix", policy({ denyHosts: ["b.test"] }), ["--allow-ip 10.0.0.1:80"])
    assert.strictEqual(command, "pyro network set fix --allow-host '*' --deny-host b.test --allow-ip 10.0.0.1:80")
    assert.isTrue(
      askedGrant({ allowHosts: ["*"], denyHosts: ["b.test"], allowIps: ["10.0.0.1:80"] })._tag === "Success"
    )
  })

  it("another kind of policy takes the place of the present one", () => {
    assert.strictEqual(
      grantCommand("fix", policy({ allowHosts: ["npm"] }), ["--network-policy egress+published-ports"]),
      "pyro network set fix --allow-host npm --network-policy egress+published-ports"
    )
    assert.strictEqual(
      grantCommand("fix", policy({}), ["--network-policy egress+published-ports"]),
      "pyro network set fix --network-policy egress+published-ports"
    )
  })

  it("an option that is added to the policy repeats nothing", () => {
    assert.strictEqual(
      grantCommand("fix", policy({ allowHosts: ["npm"] }), ["--trust-host-certificates"]),
      "pyro network set fix --trust-host-certificates"
    )
  })

  it("a policy of many rules is named, and not repeated", () => {
    const allowHosts = Array.from({ length: 100 }, (_, at) => `host${at}.test`)
    assert.strictEqual(
      grantCommand("fix", policy({ allowHosts }), [option]),
      "--allow-host a.test:443 beside the present grants (pyro status fix)"
    )
  })
})
