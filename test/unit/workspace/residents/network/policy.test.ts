import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { type NetworkCeiling, readCeiling } from "../../../../../src/contract/rows/network-ceiling.ts"
import type { AskedNetwork } from "../../../../../src/contract/rows/network-fields.ts"
import { typedMessage } from "../../../../../src/contract/rows/next-steps.ts"
import { workspaceNetworkSet } from "../../../../../src/contract/rows/workspace-network.ts"
import { callerProject } from "../../../../../src/contract/wire/caller-project.ts"
import { noStates } from "../../../../../src/workspace/entry/resident.ts"
import { grantOfCaller } from "../../../../../src/workspace/residents/network/set.ts"
import { askedGrant, recordedGrant, withPolicy } from "../../../../../src/workspace/residents/policy/policy.ts"

const policyOf = (asked: AskedNetwork) => Result.map(askedGrant(asked), ({ policy }) => policy.networkPolicy)
const refusal = (asked: AskedNetwork) =>
  typedMessage(Result.getOrThrow(Result.flip(askedGrant(asked))), workspaceNetworkSet.cli)

describe("the policy that a request asks for", () => {
  it("a list of hosts or addresses alone asks for egress", () => {
    assert.deepStrictEqual(policyOf({ allowHosts: ["npm"] }), Result.succeed("egress"))
    assert.deepStrictEqual(policyOf({ allowIps: ["10.0.0.1"] }), Result.succeed("egress"))
    assert.deepStrictEqual(policyOf({}), Result.succeed("off"))
  })

  it("a policy that contradicts itself is refused with the field", () => {
    assert.match(refusal({ networkPolicy: "off", allowHosts: ["npm"] }), /^allow_hosts: contradicts/)
    assert.match(
      refusal({ denyHosts: ["a.example.com"] }),
      /^deny_hosts: needs a network\. Allow hosts: --allow-host\. Or allow every public host: --network-policy egress$/
    )
    assert.match(refusal({ trustHostCertificates: true }), /^trust_host_certificates: needs a network/)
    assert.match(refusal({ allowIps: ["10.0.0"] }), /^allow_ips: /)
  })

  it("a loopback address is refused with the way to a service of this host, and every public address is not", () => {
    for (const text of ["127.0.0.1:5432", "127.9.9.9:5432", "[::1]:5432", "0.0.0.0:5432"]) {
      assert.include(refusal({ allowIps: [text] }), "--allow-host host.pyro.internal:5432", text)
    }
    assert.include(refusal({ allowIps: ["127.0.0.0/8"] }), "--allow-host host.pyro.internal:PORT")
    assert.deepStrictEqual(policyOf({ allowIps: ["0.0.0.0/0", "::/0"] }), Result.succeed("egress"))
  })

  it("several rules in one value are refused with the options that work", () => {
    assert.match(
      refusal({ allowHosts: ["pypi, *.a.test"] }),
      /^allow_hosts: .*Give each rule by itself: --allow-host pypi --allow-host '\*\.a\.test'$/
    )
    assert.match(
      refusal({ allowHosts: ["npm"], denyHosts: ["a.test,b.test"] }),
      /: --deny-host a\.test --deny-host b\.test$/
    )
    assert.match(refusal({ allowIps: ["192.0.2.1,192.0.2.2"] }), /: --allow-ip 192\.0\.2\.1 --allow-ip 192\.0\.2\.2$/)
  })

  it("the name of this host needs a port", () => {
    for (const text of ["host.pyro.internal", "Host.Pyro.Internal."]) {
      assert.match(refusal({ allowHosts: [text] }), /^allow_hosts: .* --allow-host host.pyro.internal:PORT$/)
    }
    assert.deepStrictEqual(policyOf({ allowHosts: ["host.pyro.internal:11434"] }), Result.succeed("egress"))
  })

  it("a record keeps a policy, and a rule that is no longer readable grants nothing", () => {
    const { policy } = Result.getOrThrow(askedGrant({ allowHosts: ["npm", "*.example.com:443"] }))
    const residents = withPolicy(noStates, policy)
    assert.deepStrictEqual(recordedGrant({ residents })?.policy, policy)
    const unreadable = withPolicy(noStates, { ...policy, allowHosts: ["no-list-of-that-name"] })
    assert.strictEqual(recordedGrant({ residents: unreadable })?.policy.networkPolicy, "off")
    assert.isUndefined(recordedGrant({ residents: noStates }))
  })
})

/** The grant of a caller with a ceiling: its hosts, or the code of the error. */
const granted = (ceiling: NetworkCeiling | undefined, asked: AskedNetwork) =>
  Effect.runSync(
    grantOfCaller(asked).pipe(
      Effect.match({
        onFailure: ({ code }) => code,
        onSuccess: (found) => found === undefined ? "nothing asked" : found.policy.allowHosts
      }),
      Effect.provideService(
        callerProject,
        ceiling === undefined ? undefined : { project: "/p", all: false, networkCeiling: ceiling }
      )
    )
  )

describe("the network ceiling of a caller", () => {
  const ceiling = (text: string) => readCeiling(text)!
  const above = "network_above_ceiling"

  it("a caller without a ceiling may grant everything", () => {
    assert.deepStrictEqual(granted(undefined, { allowIps: ["10.0.0.1"] }), [])
  })

  it("under the ceiling off only the policy off is granted", () => {
    assert.strictEqual(granted(ceiling("off"), { allowHosts: ["npm"] }), above)
    assert.strictEqual(granted(ceiling("off"), { networkPolicy: "egress" }), above)
    assert.deepStrictEqual(granted(ceiling("off"), { networkPolicy: "off" }), [])
    assert.strictEqual(granted(ceiling("off"), {}), "nothing asked")
  })

  it("a ceiling of hosts grants these hosts and narrower rules", () => {
    const hosts = ceiling("egress:npm,*.example.com,api.test.net:443")
    assert.deepStrictEqual(granted(hosts, { allowHosts: ["npm", "a.example.com:80", "*.b.example.com"] }), [
      "npm",
      "a.example.com:80",
      "*.b.example.com"
    ])
    assert.deepStrictEqual(granted(hosts, { networkPolicy: "egress" }), hosts.allowHosts)
    for (
      const host of ["pypi", "example.com", "api.test.net", "api.test.net:80", "*.test.net", "*", "registry.npmjs.org"]
    ) {
      assert.strictEqual(granted(hosts, { allowHosts: [host] }), above, host)
    }
  })

  it("no ceiling grants an address", () => {
    assert.strictEqual(granted(ceiling("egress"), { allowIps: ["10.0.0.1"] }), above)
    assert.deepStrictEqual(granted(ceiling("egress"), { allowHosts: ["a.example.com"] }), ["a.example.com"])
  })

  it("a service of this host is granted by a ceiling that names it with its port alone", () => {
    const asked = { allowHosts: ["Host.pyro.internal:5432"] }
    for (
      const text of [
        "egress",
        "egress:*",
        "egress:*.pyro.internal",
        "egress:*.internal",
        "egress:host.pyro.internal:80"
      ]
    ) {
      assert.strictEqual(granted(ceiling(text), asked), above, text)
    }
    assert.strictEqual(granted(ceiling("egress:host.pyro.internal"), asked), above)
    assert.deepStrictEqual(granted(ceiling("egress:host.pyro.internal:5432"), asked), asked.allowHosts)
  })

  it("a ceiling is off, egress, or egress with hosts", () => {
    for (const text of ["", "on", "egress:", "egress:a,,b", "Egress"]) assert.isUndefined(readCeiling(text), text)
  })
})
