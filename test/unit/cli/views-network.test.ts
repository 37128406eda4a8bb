import { assert, describe, it } from "vitest"
import { shown } from "./shown.ts"

describe("a changed network", () => {
  const network = { networkPolicy: "egress", allowHosts: ["a.test"], denyHosts: [], allowIps: [] } as const
  const set = async (result: object) => {
    const { err } = await shown("workspace.network.set", result as never, { workspace: "fix" })
    return err
  }

  it("network set names the grants and the denials of the policy before that are gone", async () => {
    const workspace = { id: "w-1", name: "fix", network }
    assert.strictEqual(
      await set({ workspace, resetCount: 2, revokedGrants: ["pypi", "10.0.0.1:80"], liftedDenials: ["b.test"] }),
      "fix: network egress to a.test; 2 open connections reset\nno longer allowed: pypi, 10.0.0.1:80\nno longer denied: b.test\n"
    )
    assert.strictEqual(
      await set({ workspace, resetCount: 0, revokedGrants: [], liftedDenials: [] }),
      "fix: network egress to a.test\n"
    )
  })

  it("network set to off says off alone", async () => {
    const workspace = { id: "w-1", name: "fix", network: { ...network, networkPolicy: "off", allowHosts: [] } }
    assert.strictEqual(
      await set({ workspace, resetCount: 0, revokedGrants: ["pypi"], liftedDenials: [] }),
      "fix: network off\n"
    )
  })
})

describe("the network log", () => {
  it("an entry is one line, whatever the guest asked for", async () => {
    const { out } = await shown("workspace.network.log", {
      entries: [{
        number: 1,
        at: "2026-11-28T20:00:00.000Z",
        kind: "connection",
        outcome: "denied",
        host: "evil.test\u00a0\n2026-11-28T20:00:00.000Z  allowed  good.test:443",
        port: 443,
        reason: "no\nreason\u202e",
        bytesOut: 0,
        bytesIn: 0,
        durationMs: 0
      }],
      open: [],
      nextCursor: 2
    } as never, { workspace: "fix", denied: false, follow: false })
    assert.strictEqual(out.split("\n").length, 2, out)
    assert.notMatch(out, /[\u00a0\u202e]/)
  })
})
