import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { readName, withoutServiceLabels } from "../../../../src/lib/network/model/name.ts"

const label = (length: number) => "a".repeat(length)

describe("names of hosts", () => {
  const good: ReadonlyArray<readonly [text: string, name: string]> = [
    ["example.com", "example.com"],
    ["EXAMPLE.Com", "example.com"],
    ["example.com.", "example.com"],
    ["a.b.c.d.example.co.uk", "a.b.c.d.example.co.uk"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["foo_bar.s3.amazonaws.com", "foo_bar.s3.amazonaws.com"],
    ["_http._tcp.example.com", "_http._tcp.example.com"],
    ["1.2.3.com", "1.2.3.com"],
    ["3com.com", "3com.com"],
    ["1e100.net", "1e100.net"],
    [`${label(63)}.com`, `${label(63)}.com`]
  ]
  for (const [text, name] of good) {
    it(`${text} is a name`, () => {
      assert.deepStrictEqual(readName(text), { _tag: "HostName", name })
    })
  }

  const number = "is a number or an odd form of an address, and no name"
  const control = "has a space or a control character"
  const ascii = "has characters outside ASCII; write its Punycode form (xn--…)"
  const invalid = "is no valid host name"
  const bad: ReadonlyArray<readonly [text: string, reason: string]> = [
    ["", "is empty"],
    [".", "is empty"],
    ["0x7f.1", number],
    ["0x7f.0x1", number],
    ["127.1", number],
    ["2130706433", number],
    ["0x7f000001", number],
    ["0177.0.0.1", number],
    ["127.0.0.1", number],
    ["127.0.0.1.", number],
    ["example.0", number],
    ["example.0x", number],
    ["localhost", "is the host itself"],
    ["LOCALHOST.", "is the host itself"],
    ["db.localhost", "is the host itself"],
    ["intranet", "has a single label; write the full name"],
    ["xn--abc", "has a single label; write the full name"],
    ["example.com\0.internal", control],
    ["example.com\nHost: other", control],
    ["example.com\r", control],
    ["exa mple.com", control],
    ["example\u00adcom.net", ascii],
    ["bücher.example", ascii],
    ["pурi.org", ascii],
    ["example。com", ascii],
    ["example.com..", "has an empty label"],
    [".example.com", "has an empty label"],
    ["a..b.com", "has an empty label"],
    [`${"a.".repeat(149)}aa`, "is longer than 253 characters"],
    [`${label(64)}.com`, "has a label longer than 63 characters"],
    ["-a.example.com", invalid],
    ["a-.example.com", invalid],
    ["example.c_m", invalid],
    ["*.example.com", invalid],
    ["example.com:80", invalid],
    ["user@example.com", invalid],
    ["example.com/path", invalid],
    ["example.com%00", invalid],
    ["::1", invalid],
    ["fe80::1%eth0", invalid]
  ]
  for (const [text, reason] of bad) {
    it(`${JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)} ${reason}`, () => {
      assert.deepStrictEqual(readName(text), { _tag: "BadName", reason })
    })
  }

  it("a name that is read once more stays the same, and only safe characters pass", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV4Extended(), fc.fullUnicodeString()), (text) => {
        const read = readName(text)
        if (read._tag === "BadName") return
        assert.match(read.name, /^[a-z0-9_.-]{1,253}$/)
        assert.notMatch(read.name, /(^|\.)([0-9]+|0x[0-9a-f]*)$/)
        assert.deepStrictEqual(readName(read.name), read)
      })
    )
  })

  it("the labels of a service are left out, and others are not", () => {
    assert.strictEqual(withoutServiceLabels("_http._tcp.example.com"), "example.com")
    assert.strictEqual(withoutServiceLabels("_HTTP._TCP.example.com"), "example.com")
    assert.strictEqual(withoutServiceLabels("_acme-challenge.example.com"), "example.com")
    assert.strictEqual(withoutServiceLabels("a._tcp.example.com"), "a._tcp.example.com")
    assert.strictEqual(withoutServiceLabels("_dmarc"), "_dmarc")
  })

  it("labels that no known service has stay a part of the name: they would carry data out", () => {
    for (
      const labels of ["_stolen", "_aGVsbG8._tcp", "_a._b._c", "_http._aGVsbG8", "_x._http._tcp", "_http._tcp._x", "_"]
    ) {
      assert.strictEqual(withoutServiceLabels(`${labels}.example.com`), `${labels}.example.com`)
    }
  })
})
