import { assert, describe, it } from "@effect/vitest"
import { authorizationOf, proxyFor, readProxy } from "../../../../src/lib/network/dialer/dial/proxy.ts"

const none = { http: undefined, https: undefined, all: undefined, no: undefined }
const hostOf = (proxies: Partial<typeof none> | Readonly<Record<string, string>>, host: string, port: number) =>
  proxyFor({ ...none, ...proxies }, host, port)?.host

describe("the person's proxies", () => {
  it("a URL names host, port and credentials", () => {
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`
    const cases = [
      ["http://proxy.example:3128", "proxy.example", 3128, undefined],
      ["proxy.example:3128", "proxy.example", 3128, undefined],
      ["http://proxy.example", "proxy.example", 80, undefined],
      ["http://proxy.example/path", "proxy.example", 80, undefined],
      ["http://me:pass%3Aword@proxy.example:1", "proxy.example", 1, basic("me:pass:word")],
      ["http://me@proxy.example:1", "proxy.example", 1, basic("me:")],
      ["me:pass@proxy.example:1", "proxy.example", 1, basic("me:pass")],
      ["http://100%25:%@proxy.example:1", "proxy.example", 1, basic("100%:%")],
      ["http://[2001:db8::1]:3128", "2001:db8::1", 3128, undefined]
    ] as const
    for (const [text, host, port, authorization] of cases) {
      const proxy = readProxy("HTTPS_PROXY", text)
      assert.deepStrictEqual([proxy.kind, proxy.host, proxy.port, authorizationOf(proxy)], [
        "http",
        host,
        port,
        authorization
      ], text)
    }
  })

  it("a SOCKS proxy has its own port, and a login", () => {
    assert.deepStrictEqual(readProxy("ALL_PROXY", "socks5://proxy.example"), {
      kind: "socks5",
      host: "proxy.example",
      port: 1080,
      user: "",
      password: ""
    })
    assert.deepStrictEqual(readProxy("ALL_PROXY", "socks5h://me:a%3Ab@[2001:db8::1]:9"), {
      kind: "socks5h",
      host: "2001:db8::1",
      port: 9,
      user: "me",
      password: "a:b"
    })
  })

  it("a proxy that cannot be used is refused without its text", () => {
    for (
      const text of [
        "socks4://secret@proxy",
        "https://secret@proxy",
        "http://",
        "http://secret@proxy:port",
        "::secret::"
      ]
    ) {
      assert.throws(() => readProxy("ALL_PROXY", text), /^the proxy in ALL_PROXY (?!.*secret)/, text)
    }
  })

  it("the port chooses the variable, and ALL_PROXY is for the rest", () => {
    const proxies = { http: "http://h", https: "http://s", all: "http://a" }
    assert.strictEqual(hostOf(proxies, "example.com", 80), "h")
    assert.strictEqual(hostOf(proxies, "example.com", 443), "s")
    assert.strictEqual(hostOf(proxies, "example.com", 22), "s")
    assert.strictEqual(hostOf({ ...proxies, https: "" }, "example.com", 22), "a")
    assert.strictEqual(hostOf({ http: "http://h" }, "example.com", 443), undefined)
  })

  const noProxy: ReadonlyArray<readonly [no: string, host: string, port: number, isDirect: boolean]> = [
    ["*", "example.com", 443, true],
    ["example.com", "example.com", 443, true],
    ["example.com", "www.example.com", 443, true],
    [".example.com", "example.com", 443, true],
    ["*.example.com", "www.example.com", 443, true],
    ["EXAMPLE.com", "example.com", 443, true],
    ["example.com", "badexample.com", 443, false],
    ["example.com:8443", "example.com", 8443, true],
    ["example.com:8443", "example.com", 443, false],
    ["a.example, b.example c.example", "c.example", 443, true],
    ["10.0.0.0/8", "10.1.2.3", 443, true],
    ["10.1.2.3", "10.1.2.3", 443, true],
    ["10.1.2.3", "10.1.2.4", 443, false],
    ["2001:db8::/32", "2001:db8::1", 443, true],
    ["", "example.com", 443, false],
    [",", "example.com", 443, false],
    [".", "example.com", 443, false]
  ]
  for (const [no, host, port, isDirect] of noProxy) {
    it(`NO_PROXY=${JSON.stringify(no)} ${isDirect ? "covers" : "does not cover"} ${host}:${port}`, () => {
      assert.strictEqual(hostOf({ https: "http://s", no }, host, port), isDirect ? undefined : "s")
    })
  }
})
