import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { neutralText } from "../../../../src/contract/errors/next-step.ts"
import { type Address, readAddress } from "../../../../src/lib/network/model/address.ts"
import { judgeAddress, judgeLiteral, judgeName } from "../../../../src/lib/network/model/judge.ts"
import { hostLists, listNames } from "../../../../src/lib/network/model/lists.ts"
import { type Policy, readPolicy } from "../../../../src/lib/network/model/policy.ts"

const rulesOf = (policy: Partial<Policy>) =>
  Result.getOrThrow(readPolicy({ networkPolicy: "egress", allowHosts: [], denyHosts: [], allowIps: [], ...policy }))

const issueOf = (policy: Partial<Policy>) =>
  Result.getOrThrow(
    Result.flip(readPolicy({ networkPolicy: "egress", allowHosts: [], denyHosts: [], allowIps: [], ...policy }))
  )

const ownAddresses = [readAddress("198.51.100.2")!, readAddress("10.1.2.3")!, readAddress("2001:db8::2")!]
const own = () => ownAddresses

const isAllowed = (policy: Partial<Policy>, name: string, port?: number) =>
  judgeName(rulesOf(policy), name, port)._tag === "Allowed"

describe("rules about names", () => {
  it("the policy off denies every name and address, and names the rule that opens this one alone", () => {
    const rules = rulesOf({ networkPolicy: "off", allowHosts: ["example.com"], allowIps: ["203.0.113.7"] })
    const denied = (field?: "allow_hosts" | "allow_ips", rule = "") =>
      ({
        _tag: "Denied",
        reason: "the network policy is off",
        remedy: field === undefined ? undefined : { field, rule }
      }) as const
    assert.deepStrictEqual(judgeName(rules, "Example.com."), denied("allow_hosts", "example.com"))
    assert.deepStrictEqual(judgeName(rules, "example.com", 443), denied("allow_hosts", "example.com:443"))
    assert.deepStrictEqual(judgeName(rules, "host.pyro.internal"), denied())
    assert.deepStrictEqual(judgeName(rules, "localhost"), denied())
    assert.deepStrictEqual(judgeLiteral(rules, "203.0.113.7", 443, own), denied("allow_ips", "203.0.113.7:443"))
    assert.deepStrictEqual(judgeLiteral(rules, "127.0.0.1", 443, own), denied("allow_hosts", "host.pyro.internal:443"))
  })

  it("without a list every full name is allowed", () => {
    assert.deepStrictEqual(judgeName(rulesOf({}), "Example.COM.", 1), {
      _tag: "Allowed",
      host: "example.com",
      rule: undefined
    })
    assert.isFalse(isAllowed({}, "localhost", 80))
    assert.isFalse(isAllowed({}, "host.pyro.internal", 80))
    assert.isFalse(isAllowed({}, "2130706433", 80))
  })

  const cases: ReadonlyArray<readonly [rule: string, name: string, port: number, isAllowed: boolean]> = [
    ["example.com", "example.com", 443, true],
    ["example.com", "example.com", 22, true],
    ["EXAMPLE.com.", "example.com", 22, true],
    ["example.com", "www.example.com", 443, false],
    ["example.com", "badexample.com", 443, false],
    ["example.com", "example.com.evil.net", 443, false],
    ["example.com:443", "example.com", 443, true],
    ["example.com:443", "example.com", 80, false],
    ["*.example.com", "www.example.com", 443, true],
    ["*.example.com", "a.b.example.com", 443, true],
    ["*.example.com", "example.com", 443, false],
    ["*.example.com", "badexample.com", 443, false],
    ["*.example.com:8443", "www.example.com", 8443, true],
    ["*.example.com:8443", "www.example.com", 443, false],
    ["*", "anything.example", 1, true],
    ["*:443", "anything.example", 443, true],
    ["*:443", "anything.example", 80, false],
    ["npm", "registry.npmjs.org", 443, true],
    ["npm", "registry.npmjs.org", 80, false],
    ["npm", "www.npmjs.org", 443, false],
    ["debian", "deb.debian.org", 80, true],
    // This host, which no pattern opens.
    ["*", "host.pyro.internal", 80, false],
    ["*.pyro.internal:80", "host.pyro.internal", 80, false],
    ["host.pyro.internal", "host.pyro.internal", 80, false],
    ["host.pyro.internal:80", "Host.pyro.internal.", 80, true],
    ["host.pyro.internal:80", "host.pyro.internal", 81, false],
    ["xn--bcher-kva.example", "xn--bcher-kva.example", 443, true],
    // A look-alike is another name.
    ["pypi.org", "xn--pi-xlcn5a.org", 443, false]
  ]
  for (const [rule, name, port, expected] of cases) {
    it(`--allow-host ${rule} ${expected ? "allows" : "does not allow"} ${name}:${port}`, () => {
      assert.strictEqual(isAllowed({ allowHosts: [rule] }, name, port), expected)
    })
  }

  it("--deny-host wins over --allow-host", () => {
    const policy = { allowHosts: ["*.example.com"], denyHosts: ["secret.example.com", "*.internal.example.com:80"] }
    assert.isTrue(isAllowed(policy, "www.example.com", 80))
    assert.isFalse(isAllowed(policy, "SECRET.example.com", 80))
    assert.isFalse(isAllowed(policy, "a.internal.example.com", 80))
    assert.isTrue(isAllowed(policy, "a.internal.example.com", 443))
    assert.deepStrictEqual(judgeName(rulesOf(policy), "secret.example.com", 80), {
      _tag: "Denied",
      reason: "the rule secret.example.com of the denied hosts names it",
      remedy: { field: "deny_hosts", rule: "secret.example.com" }
    })
    assert.isFalse(isAllowed({ denyHosts: ["npm"] }, "registry.npmjs.org", 443))
  })

  it("a list of addresses alone allows no name, and --allow-host '*' allows names beside it", () => {
    assert.isFalse(isAllowed({ allowIps: ["10.0.0.5"] }, "example.com", 443))
    assert.isTrue(isAllowed({ allowIps: ["10.0.0.5"], allowHosts: ["*"] }, "example.com", 443))
  })

  it("a denial names the rule that would allow it", () => {
    assert.deepStrictEqual(judgeName(rulesOf({ allowHosts: ["npm"] }), "Evil.example.", 8080), {
      _tag: "Denied",
      reason: "no rule allows the name",
      remedy: { field: "allow_hosts", rule: "evil.example:8080" }
    })
  })

  it("a look-up is allowed if a connection to one port is, and denied if none is", () => {
    assert.isTrue(isAllowed({ allowHosts: ["example.com:443"] }, "example.com"))
    assert.isTrue(isAllowed({ denyHosts: ["example.com:25"] }, "example.com"))
    assert.isFalse(isAllowed({ denyHosts: ["example.com"] }, "example.com"))
  })

  const bad: ReadonlyArray<readonly [rule: string, detail: RegExp]> = [
    ["", /^The name "" is empty$/],
    ["exmaple", /^"exmaple" is neither a full host name nor a named list\. See all lists: network\.lists$/],
    ["pipy", /nor a named list\. Did you mean pypi\? See all lists: network\.lists$/],
    ["PyPI", / Did you mean pypi\? /],
    ["apt", / Did you mean debian\? /],
    ["pip", / Did you mean pypi\? /],
    ["cargo", / Did you mean crates\? /],
    ["https://example.com", /^"https:\/\/example\.com" is a URL, and a rule names its host\. Write: example\.com$/],
    ["http://user:word@A.test:8080/path?x=1#y", / Write: a\.test:8080$/],
    ["a.test/path", / Write: a\.test$/],
    ["a.test:80/path", / Write: a\.test(:80)?$/],
    ["git+ssh://a.test:22/x", / Write: a\.test:22$/],
    ["https://*.a.test/", / Write: \*\.a\.test$/],
    ["https://203.0.113.7/x", /is a URL, .* Allow the address: allow_ips: \["203\.0\.113\.7"\]$/],
    ["http://localhost:3000/", /is a URL, .*is the host itself/],
    ["https://", /is not a number|no valid host name/],
    ["npm:443", /^The name "npm" has a single label/],
    ["localhost", /is the host itself/],
    ["example.com:0", /^The port in "example\.com:0" is not a number from 1 to 65535$/],
    ["example.com:65536", /The port/],
    ["example.com:https", /The port/],
    ["example.com:", /The port/],
    ["exa*.com", /Write \*\.example\.com/],
    ["*example.com", /Write \*\.example\.com/],
    ["*.*.com", /Write \*\.example\.com/],
    [
      "203.0.113.7",
      /^"203\.0\.113\.7" is an address, and not a name\. Allow the address: allow_ips: \["203\.0\.113\.7"\]$/
    ],
    ["203.0.113.7:443", /Allow the address: allow_ips: \["203\.0\.113\.7:443"\]$/],
    ["[2001:db8::1]:443", /Allow the address: allow_ips/],
    ["2001:db8::1", /Allow the address: allow_ips/],
    ["0x7f.1", /odd form of an address/],
    ["bücher.example", /Punycode form \(xn--…\), here xn--bcher-kva\.example$/],
    ["__proto__", /neither a full host name nor a named list/],
    ["constructor", /neither a full host name nor a named list/]
  ]
  for (const [rule, detail] of bad) {
    it(`--allow-host ${JSON.stringify(rule)} is refused`, () => {
      const issue = issueOf({ allowHosts: ["example.com", rule] })
      assert.strictEqual(issue.field, "allowHosts")
      assert.match(neutralText(issue.detail, issue.next), detail)
    })
  }

  it("a cargo that asks GitHub for the index of crates is told which cargo does not", () => {
    const [crates, alone] = [["crates"], ["example.com"]].map((allowHosts) =>
      judgeName(rulesOf({ allowHosts }), "github.com", 443)
    )
    assert.match(JSON.stringify(crates), /a cargo before 1\.70 takes the index of crates from GitHub.*debian:13-build/)
    assert.notMatch(JSON.stringify(alone), /cargo/)
  })

  it("the list of each client has the first host that the client asks", () => {
    const firsts = {
      rustup: "static.rust-lang.org",
      maven: "repo.maven.apache.org",
      gradle: "services.gradle.org",
      rubygems: "rubygems.org",
      nuget: "api.nuget.org",
      packagist: "repo.packagist.org",
      hex: "repo.hex.pm",
      "uv-python": "releases.astral.sh",
      conda: "conda.anaconda.org",
      huggingface: "huggingface.co",
      playwright: "cdn.playwright.dev",
      npm: "registry.yarnpkg.com"
    }
    for (const [list, host] of Object.entries(firsts)) {
      assert.strictEqual(judgeName(rulesOf({ allowHosts: [list] }), host, 443)._tag, "Allowed", list)
    }
  })

  it("every named list has rules that can be read, each for one port", () => {
    for (const name of listNames) {
      const rules = rulesOf({ allowHosts: [name] })
      assert.strictEqual(rules.allowHosts.length, hostLists[name]!.hosts.length)
      for (const { match, port } of rules.allowHosts) {
        // Microsoft's registry has hosts for each region beneath a domain of its own.
        assert.include(name === "mcr" ? ["exact", "beneath"] : ["exact"], match)
        assert.isDefined(port)
      }
    }
  })

  it("no name that is not on the list is allowed", () => {
    const rules = rulesOf({ allowHosts: ["a.example:443", "*.b.example"] })
    const part = fc.constantFrom("a", "b", "example", "*", "", "c", "xn--b", "EXAMPLE", "_a", "\0", " ")
    fc.assert(fc.property(fc.array(part, { maxLength: 5 }), fc.constantFrom(80, 443), (parts, port) => {
      const name = parts.join(".")
      const expected = (/^a\.example\.?$/i.test(name) && port === 443) ||
        /^([a-z_-]+\.)+b\.example\.?$/i.test(name)
      assert.strictEqual(judgeName(rules, name, port)._tag === "Allowed", expected, name)
    }))
  })
})

describe("addresses", () => {
  const denied: ReadonlyArray<readonly [address: string, kind: string]> = [
    ["0.0.0.0", "\"this network\""],
    ["0.1.2.3", "\"this network\""],
    ["10.0.0.1", "private"],
    ["100.64.0.1", "carrier's NAT"],
    ["100.127.255.255", "carrier's NAT"],
    ["100.100.100.200", "metadata service"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["168.63.129.16", "metadata service"],
    ["169.254.169.254", "metadata service"],
    ["169.254.1.1", "link-local"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.0.0.1", "IETF"],
    ["192.168.1.1", "private"],
    ["198.18.0.1", "benchmarks"],
    ["198.19.255.255", "benchmarks"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.250", "multicast"],
    ["240.0.0.1", "reserved"],
    ["255.255.255.255", "broadcast"],
    ["198.51.100.2", "of this host"],
    ["10.1.2.3", "of this host"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["::127.0.0.1", "IPv4-compatible"],
    ["::ffff:127.0.0.1", "IPv4-mapped"],
    ["::ffff:8.8.8.8", "IPv4-mapped"],
    ["::FFFF:7f00:1", "IPv4-mapped"],
    ["64:ff9b::a00:1", "NAT64"],
    ["64:ff9b::8.8.8.8", "NAT64"],
    ["64:ff9b:1::a00:1", "NAT64"],
    ["100::1", "discards"],
    ["2001::1", "Teredo"],
    ["2001:10::1", "IETF"],
    ["2002:a00:1::1", "6to4"],
    ["fc00::1", "unique local"],
    ["fd12:3456::1", "unique local"],
    ["fd00:ec2::254", "metadata service"],
    ["fe80::1", "link-local"],
    ["fec0::1", "site-local"],
    ["ff02::1", "multicast"],
    ["4000::1", "no global address"],
    ["1234::1", "no global address"],
    ["2001:db8::2", "of this host"],
    ["2001:DB8:0:0::2", "of this host"]
  ]
  for (const [address, kind] of denied) {
    it(`a name that resolves to ${address} is denied: ${kind}`, () => {
      const verdict = judgeAddress(rulesOf({}), address, 443, own)
      assert.strictEqual(verdict._tag, "Denied")
      if (verdict._tag === "Denied") assert.include(verdict.reason, kind)
    })
    it(`neither the rule of every address nor a name opens ${address}`, () => {
      for (const allowIps of [["0.0.0.0/0", "::/0"], ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]]) {
        const rules = rulesOf({ allowIps, allowHosts: ["*"] })
        assert.strictEqual(judgeAddress(rules, address, 443, own)._tag, "Denied")
        assert.strictEqual(judgeLiteral(rules, address, 443, own)._tag, "Denied")
      }
    })
    it(`the rule for ${address} itself opens it, at its port`, () => {
      const { host, rule } = { host: address, rule: address.includes(":") ? `[${address}]:443` : `${address}:443` }
      const rules = rulesOf({ allowIps: [rule] })
      assert.deepStrictEqual(judgeAddress(rules, address, 443, own), { _tag: "Allowed", host, rule })
      assert.deepStrictEqual(judgeLiteral(rules, address, 443, own), { _tag: "Allowed", host, rule })
      assert.strictEqual(judgeLiteral(rules, address, 80, own)._tag, "Denied")
    })
  }

  const notPlain = [
    "fe80::1%eth0",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "1.2.3",
    "1.2.3.4.5",
    "",
    "::1%lo",
    "1.2.3.4 ",
    "localhost"
  ]
  for (const text of notPlain) {
    it(`${JSON.stringify(text)} is not a plain address, whatever the rules`, () => {
      const rules = rulesOf({ allowIps: ["0.0.0.0/0", "::/0", "127.0.0.1", "::1", "fe80::1"] })
      assert.strictEqual(judgeAddress(rules, text, 443, own)._tag, "Denied")
      assert.strictEqual(judgeLiteral(rules, text, 443, own)._tag, "Denied")
    })
  }

  const publicOnes = [
    "1.1.1.1",
    "8.8.8.8",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.113.7",
    "2606:4700::1111",
    "2a00:1450::1",
    "2001:4860:4860::8888"
  ]
  for (const address of publicOnes) {
    it(`${address} is public: a name opens it, and an address without a name needs a rule`, () => {
      assert.strictEqual(judgeAddress(rulesOf({}), address, 443, own)._tag, "Allowed")
      assert.deepStrictEqual(judgeLiteral(rulesOf({ allowHosts: ["*"] }), address, 443, own), {
        _tag: "Denied",
        reason: "no rule allows the address",
        remedy: { field: "allow_ips", rule: `${address.includes(":") ? `[${address}]` : address}:443` }
      })
      assert.strictEqual(judgeLiteral(rulesOf({ allowIps: ["0.0.0.0/0", "::/0"] }), address, 443, own)._tag, "Allowed")
    })
  }

  it("the host's own addresses are looked at only where no rule names the one address", () => {
    let looks = 0
    const counted = () => {
      looks++
      return ownAddresses
    }
    const rules = rulesOf({ allowIps: ["10.1.2.3", "10.0.0.0/8"] })
    assert.strictEqual(judgeLiteral(rules, "10.1.2.3", 443, counted)._tag, "Allowed")
    assert.strictEqual(looks, 0)
    assert.strictEqual(judgeLiteral(rules, "10.1.2.4", 443, counted)._tag, "Allowed")
    assert.strictEqual(judgeAddress(rules, "203.0.113.7", 443, counted)._tag, "Allowed")
    assert.strictEqual(judgeAddress(rules, "198.51.100.2", 443, counted)._tag, "Denied")
    assert.strictEqual(looks, 3)
  })

  it("a range within a private range opens it, but for this host's own address and a metadata service in it", () => {
    const rules = rulesOf({ allowIps: ["10.0.0.0/8", "169.254.0.0/16", "127.0.0.0/8"] })
    assert.strictEqual(judgeAddress(rules, "10.9.9.9", 80, own)._tag, "Allowed")
    assert.strictEqual(judgeAddress(rules, "127.0.0.1", 80, own)._tag, "Allowed")
    assert.strictEqual(judgeAddress(rules, "169.254.1.1", 80, own)._tag, "Allowed")
    assert.strictEqual(judgeAddress(rules, "10.1.2.3", 80, own)._tag, "Denied")
    assert.strictEqual(judgeAddress(rules, "169.254.169.254", 80, own)._tag, "Denied")
  })

  const badIps = [
    "",
    "10.0.0.5/33",
    "10.0.0.5/24",
    "10.0.0/8",
    "example.com",
    "1.2.3.4:0",
    "1.2.3.4:x",
    "[1.2.3.4]:80",
    "::1:80:",
    "[::1",
    "[::1]80",
    "fe80::1%eth0",
    "10.0.0.0/",
    "0x7f.1",
    "127.1"
  ]
  for (const rule of badIps) {
    it(`--allow-ip ${JSON.stringify(rule)} is refused`, () => {
      const issue = issueOf({ allowIps: [rule] })
      assert.strictEqual(issue.field, "allowIps")
      assert.match(issue.detail, /^("|The port)/)
    })
  }

  it("addresses are read as the same number in every text form", () => {
    const text = ({ family, value }: Address) =>
      family === 4
        ? [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".")
        : Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16)).join(":")
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const read = readAddress(address)!
      assert.deepStrictEqual(readAddress(text(read)), read)
    }))
  })
})
