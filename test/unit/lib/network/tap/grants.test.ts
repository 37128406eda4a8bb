import { Result } from "effect"
import { assert, describe, it } from "vitest"
import { ruleset } from "../../../../../src/lib/network/both/tap/ruleset.ts"
import { judgeResolved, KnownNames } from "../../../../../src/lib/network/daemon/tap/grants.ts"
import { readAddress } from "../../../../../src/lib/network/model/address.ts"
import { type Policy, readPolicy } from "../../../../../src/lib/network/model/policy.ts"

const rulesOf = (policy: Partial<Policy>) =>
  Result.getOrThrow(readPolicy({ networkPolicy: "egress", allowHosts: [], denyHosts: [], allowIps: [], ...policy }))

const PUBLIC = "203.0.113.10"

const granted = (policy: Partial<Policy>, name: string) =>
  new KnownNames().add(rulesOf(policy), name, [PUBLIC], 0).map(({ closed, isOpen, ports }) => ({
    closed,
    isOpen,
    ports
  }))

describe("what a name opens in the firewall", () => {
  const cases: ReadonlyArray<readonly [Partial<Policy>, object]> = [
    [{ allowHosts: ["a.test"] }, { isOpen: true, ports: [], closed: [] }],
    [{ allowHosts: ["a.test:53", "a.test:123"] }, { isOpen: false, ports: [53, 123], closed: [] }],
    [{ allowHosts: ["a.test"], denyHosts: ["a.test:22"] }, { isOpen: true, ports: [], closed: [22] }],
    [{ allowHosts: ["a.test:53", "a.test:22"], denyHosts: ["*:22"] }, { isOpen: false, ports: [53], closed: [] }],
    [{ allowHosts: ["b.test:53", "*.test"] }, { isOpen: true, ports: [], closed: [] }],
    [{ denyHosts: ["b.test:22"] }, { isOpen: true, ports: [], closed: [] }]
  ]
  for (const [policy, expected] of cases) {
    it(JSON.stringify(policy), () => assert.deepStrictEqual(granted(policy, "a.test"), [expected] as never))
  }

  it("another policy judges known names again, and forgets those that it denies", () => {
    const known = new KnownNames()
    known.add(rulesOf({}), "a.test", [PUBLIC], 0)
    known.add(rulesOf({}), "b.test", ["203.0.113.11"], 0)
    const grants = known.grants(rulesOf({ allowHosts: ["a.test:53"] }), 60_000)
    assert.deepStrictEqual(grants, [{ address: PUBLIC, isOpen: false, ports: [53], closed: [], timeoutSeconds: 540 }])
    assert.deepStrictEqual(known.grants(rulesOf({}), 60_000).map(({ address }) => address), [PUBLIC])
    assert.deepStrictEqual(known.grants(rulesOf({}), 700_000), [])
  })

  it("an address tells its newest name", () => {
    const known = new KnownNames()
    for (const name of ["a.test", "b.test", "a.test"]) known.add(rulesOf({}), name, [PUBLIC], 0)
    assert.deepStrictEqual(known.namesOf(PUBLIC), ["a.test", "b.test"])
  })
})

describe("addresses of a name", () => {
  const own = [readAddress("203.0.113.99")!]
  const judge = (policy: Partial<Policy>, ...found: ReadonlyArray<string>) =>
    judgeResolved(rulesOf(policy), "a.test", found, own)

  it("the guest gets public ones only", () => {
    const found = ["192.168.7.1", PUBLIC, "203.0.113.99", "2001:db8::1", "fd00::1", "::ffff:203.0.113.10", "64:ff9b::1"]
    const { addresses, denied } = judge({}, ...found)
    assert.deepStrictEqual(addresses, [PUBLIC, "2001:db8::1"])
    assert.isUndefined(denied)
  })

  it("a name without a usable address is denied, with the option that would allow it", () => {
    const { addresses, denied } = judge({}, "192.168.7.1")
    assert.deepStrictEqual(addresses, [])
    assert.strictEqual(denied?.reason, "a.test resolves to an address that is denied: 192.168.7.1 is a private address")
    assert.strictEqual(denied?.option, "--allow-ip 192.168.7.1")
    assert.strictEqual(judge({}, "fd00::1").denied?.option, "--allow-ip [fd00::1]")
  })

  it("a rule for one port of a private address is enough", () => {
    assert.deepStrictEqual(judge({ allowHosts: ["a.test"], allowIps: ["192.168.7.1:53"] }, "192.168.7.1").addresses, [
      "192.168.7.1"
    ])
  })
})

describe("the firewall of a policy", () => {
  const lines = (policy: Partial<Policy>) =>
    ruleset(rulesOf(policy), {
      grants: [],
      own: [readAddress("10.0.0.5")!, readAddress("2001:db8::1")!],
      policyNumber: 7
    })
      .split("\n").map((line) => line.trim())

  it("a range opens its own kind, and neither the host nor narrower special ranges in it", () => {
    const rules = lines({ allowIps: ["10.0.0.0/8", "169.254.169.254:80", "0.0.0.0/0"] })
    const at = (text: string) => rules.indexOf(text)
    assert.notInclude(rules, "ip daddr 10.0.0.5 goto allow")
    assert.isBelow(at("ip daddr 10.0.0.5 goto deny"), at("ip daddr 10.0.0.0/8 goto allow"))
    assert.strictEqual(at("ip daddr 10.0.0.0/8 goto deny"), at("ip daddr 10.0.0.0/8 goto allow") + 1)
    assert.isBelow(
      at("ip daddr 169.254.169.254 meta l4proto { tcp, udp } th dport 80 goto allow"),
      at("ip daddr 169.254.169.254 goto deny")
    )
    assert.isAbove(at("ip daddr 0.0.0.0/0 goto allow"), at("ip daddr 0.0.0.0/8 goto deny"))
  })

  it("a range of IPv6 opens its own kind", () => {
    const rules = lines({ allowIps: ["fd00:7::/32", "::/0"] })
    const at = (text: string) => rules.indexOf(text)
    assert.isBelow(
      at("ip6 daddr 2001:0db8:0000:0000:0000:0000:0000:0001 goto deny"),
      at("ip6 daddr fd00:0007:0000:0000:0000:0000:0000:0000/32 goto allow")
    )
    assert.isBelow(
      at("ip6 daddr fd00:0007:0000:0000:0000:0000:0000:0000/32 goto allow"),
      at("ip6 daddr fc00:0000:0000:0000:0000:0000:0000:0000/7 goto deny")
    )
  })

  it("only a policy without any rule for names opens addresses that no program looked up", () => {
    const opens = (policy: Partial<Policy>) =>
      lines(policy).slice(lines(policy).indexOf("chain outwards {")).indexOf("goto allow") >= 0
    assert.deepStrictEqual(
      [{}, { allowHosts: ["a.test"] }, { denyHosts: ["a.test"] }, { networkPolicy: "off" as const }].map(opens),
      [true, false, false, false]
    )
  })

  it("a policy that is off allows nothing", () => {
    assert.isFalse(lines({ networkPolicy: "off" }).some((line) => line.endsWith("goto allow")))
  })
})
