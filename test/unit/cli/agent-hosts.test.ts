import { assert, describe, it } from "vitest"
import { withHosts } from "../../../src/cli/agent/workspace.ts"

const none = {
  allowHosts: [],
  denyHosts: [],
  allowIps: [],
  open: 0,
  allowed: 0,
  denied: 0,
  failed: 0,
  bytesOut: 0,
  bytesIn: 0
}
const egress = { ...none, networkPolicy: "egress" } as const

describe("the network of a workspace that an agent takes up", () => {
  it("the hosts of the agent are added, and all other grants and settings stay", () => {
    const network = {
      ...egress,
      allowHosts: ["npm"],
      denyHosts: ["b.test"],
      allowIps: ["10.0.0.1"],
      trustHostCertificates: true
    }
    assert.deepStrictEqual(withHosts(["api.test:443", "npm"], network), {
      network_policy: "egress",
      allow_hosts: ["npm", "api.test:443"],
      deny_hosts: ["b.test"],
      allow_ips: ["10.0.0.1"],
      trust_host_certificates: true
    })
  })

  it("a workspace without a network gets the hosts of the agent alone", () => {
    for (const network of [undefined, { ...none, networkPolicy: "off" } as const]) {
      assert.deepStrictEqual(withHosts(["api.test:443"], network), { allow_hosts: ["api.test:443"] })
      assert.isUndefined(withHosts([], network))
    }
  })

  it("a policy that allows the hosts stays", () => {
    assert.isUndefined(withHosts(["api.test:443"], egress))
    assert.isUndefined(withHosts(["npm"], { ...egress, allowHosts: ["npm"] }))
  })
})
