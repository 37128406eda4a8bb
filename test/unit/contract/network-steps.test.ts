import { assert, describe, it } from "@effect/vitest"
import { optionSteps, policyStep, type PresentPolicy, type Remedy } from "../../../src/contract/rows/network-steps.ts"
import { typedStep } from "../../../src/contract/rows/next-steps.ts"
import { workspaceNetworkSet } from "../../../src/contract/rows/workspace-network.ts"
import { askedGrant } from "../../../src/workspace/residents/policy/policy.ts"

const policy = (more: Partial<PresentPolicy>): PresentPolicy => ({
  networkPolicy: "egress",
  allowHosts: [],
  denyHosts: [],
  allowIps: [],
  ...more
})
const host: Remedy = { field: "allow_hosts", rule: "a.test:443" }
const address: Remedy = { field: "allow_ips", rule: "10.0.0.1:80" }
const trust: Remedy = { field: "trust_host_certificates" }

const lineOf = (present: PresentPolicy, ...remedies: ReadonlyArray<Remedy>) =>
  typedStep(policyStep("fix", present, remedies))

describe("the step that changes the policy of a workspace", () => {
  it("repeats every grant of the policy, since a request replaces the policy", () => {
    const present = policy({
      networkPolicy: "egress+published-ports",
      allowHosts: ["pypi", "*.example.com"],
      denyHosts: ["b.test"],
      allowIps: ["[2001:db8::1]:80"],
      packageCache: false,
      trustHostCertificates: true
    })
    assert.strictEqual(
      lineOf(present, host),
      "If the task needs it, allow it: pyro network set fix --network-policy egress+published-ports --allow-host pypi --allow-host '*.example.com' " +
        "--allow-host a.test:443 --deny-host b.test --allow-ip '[2001:db8::1]:80' --no-package-cache --trust-host-certificates"
    )
  })

  it("repeats nothing for a guest without a network", () => {
    assert.strictEqual(
      lineOf(policy({ networkPolicy: "off" }), host),
      "If the task needs it, allow it: pyro network set fix --allow-host a.test:443"
    )
  })

  it("keeps every public host where a list is the first", () => {
    assert.strictEqual(
      lineOf(policy({ denyHosts: ["b.test"] }), address),
      "If the task needs it, allow it: pyro network set fix --allow-host '*' --deny-host b.test --allow-ip 10.0.0.1:80"
    )
    assert.isTrue(
      askedGrant({ allowHosts: ["*"], denyHosts: ["b.test"], allowIps: ["10.0.0.1:80"] })._tag === "Success"
    )
  })

  it("takes denied hosts out of the policy", () => {
    assert.strictEqual(
      lineOf(policy({ denyHosts: ["b.test", "c.test"] }), { field: "deny_hosts", rule: "b.test" }),
      "If the user agrees, lift the denial: pyro network set fix --network-policy egress --deny-host c.test"
    )
  })

  it("adds the trust in certificates, which replaces nothing", () => {
    assert.match(lineOf(policy({ allowHosts: ["npm"] }), trust), /: pyro network set fix --trust-host-certificates$/)
  })

  it("names the rules of a long policy, and does not repeat them", () => {
    const allowHosts = Array.from({ length: 100 }, (_, at) => `host${at}.test`)
    assert.strictEqual(
      lineOf(policy({ allowHosts }), host),
      "Set the network again, with its present rules and a.test:443 (allow_hosts) changed"
    )
  })
})

describe("the steps for a guest whose policy is a part of its request", () => {
  it("are options of the request", () => {
    const steps = optionSteps([host, address, trust, { field: "deny_hosts", rule: "b.test" }])
    assert.deepStrictEqual(
      steps.map((step) => typedStep(step, workspaceNetworkSet.cli).replace(/^.*?: /, "")),
      [
        "--allow-host a.test:443",
        "--allow-ip 10.0.0.1:80",
        "--trust-host-certificates",
        "Leave the denied host out of the request"
      ]
    )
  })
})
