import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Schedule } from "effect"
import { makeWorld, type World } from "./world/world.ts"

/** A host whose way out is a proxy of its LAN. */
class Behind extends Context.Service<Behind, World>()("test/Behind") {
  static readonly layer = Layer.effect(
    Behind,
    makeWorld({
      kind: "ipv4",
      env: {
        HTTPS_PROXY: "http://me:a%3Ab@192.168.7.1:3128",
        http_proxy: "192.168.7.1:3128",
        HTTP_PROXY: "http://203.0.113.66:1",
        NO_PROXY: "mixed.test.net,.direct.test.net,10.0.0.0/8"
      }
    })
  )
}

const PROXY = "192.168.7.1:3128"

describe("a host with a proxy", () => {
  layer(Behind.layer, { excludeTestServices: true, timeout: "10 minutes" })((it) => {
    const ask = (request: Readonly<Record<string, unknown>>) => Effect.flatMap(Behind, (world) => world.ask(request))
    const dial = (name: string, more: Readonly<Record<string, unknown>> = {}) => ask({ op: "dial", name, ...more })
    const proxied = Effect.map(Behind, ({ seen }) => seen.filter((one) => one._tag === "Proxy"))
    /** The newest request of the proxy, once the proxy has told of a request for `target`. */
    const requestFor = (target: string) =>
      Effect.map(proxied, (all) => all.at(-1)).pipe(
        Effect.filterOrFail((last) => last?.target === target),
        Effect.retry(Schedule.spaced("5 millis"))
      )

    it.effect("the proxy gets the name, the credentials, and every byte that came with its answer", () =>
      Effect.gen(function*() {
        // The host's resolver does not know the name.
        assert.deepStrictEqual(yield* dial("only-the-proxy.example", { port: 443 }), {
          address: PROXY,
          viaProxy: true,
          text: "via proxy only-the-proxy.example:443\nhello\n"
        })
        assert.deepStrictEqual(yield* requestFor("only-the-proxy.example:443"), {
          _tag: "Proxy",
          target: "only-the-proxy.example:443",
          host: "only-the-proxy.example:443",
          credentials: "me:a:b"
        })
      }))

    it.effect("port 80 has a proxy of its own, and the lower-case variable comes first", () =>
      Effect.gen(function*() {
        const { text, viaProxy } = yield* dial("server.test.net")
        assert.deepStrictEqual({ text, viaProxy }, { text: "via proxy server.test.net:80\nhello\n", viaProxy: true })
        assert.deepInclude(yield* requestFor("server.test.net:80"), { credentials: "" })
      }))

    it.effect("hosts of NO_PROXY are dialled directly", () =>
      Effect.gen(function*() {
        const { address, viaProxy } = yield* dial("mixed.test.net")
        assert.deepStrictEqual({ address, viaProxy }, { address: "203.0.113.10", viaProxy: false })
        const missing = yield* dial("a.direct.test.net")
        assert.strictEqual(missing.reason, "unresolved")
      }))

    it.effect("a public address with a rule goes through the proxy, and a private one does not", () =>
      Effect.gen(function*() {
        const policy = { allowIps: ["203.0.113.10", "192.168.7.1"] }
        const outer = yield* ask({ op: "dial", address: "203.0.113.10", policy })
        assert.strictEqual(outer.text, "via proxy 203.0.113.10:80\nhello\n")
        const inner = yield* ask({ op: "dial", address: "192.168.7.1", policy })
        assert.deepStrictEqual([inner.viaProxy, inner.text], [false, "::ffff:192.168.7.1\nhello\n"])
      }))

    it.effect("the proxy leads no guest into the private network", () =>
      Effect.gen(function*() {
        const before = (yield* proxied).length
        const names = [
          "printer.local",
          "wiki.corp",
          "db.internal",
          "nas.home.arpa",
          "lan.test.net",
          "metadata.test.net",
          "loopback.test.net"
        ]
        for (const name of names) {
          const { detail, reason } = yield* dial(name)
          assert.strictEqual(reason, "denied", name)
          assert.match(
            detail!,
            /(is a name of private networks, and the proxy would|resolves to an address that is denied)/
          )
        }
        for (const address of ["192.168.7.1", "127.0.0.1", "169.254.169.254", "198.51.100.2"]) {
          assert.strictEqual((yield* ask({ op: "dial", address })).reason, "denied")
        }
        assert.strictEqual((yield* proxied).length, before)
      }))

    it.effect("a name of the private network is dialled directly where a rule names its address", () =>
      Effect.gen(function*() {
        const policy = { allowHosts: ["lan.test.net"], allowIps: ["192.168.7.1"] }
        const { text, viaProxy } = yield* dial("lan.test.net", { policy })
        assert.deepStrictEqual([viaProxy, text], [false, "::ffff:192.168.7.1\nhello\n"])
      }))

    it.effect("a name that policy denies does not reach the proxy", () =>
      Effect.gen(function*() {
        const before = (yield* proxied).length
        const { reason, remedy } = yield* dial("other.example", { policy: { allowHosts: ["npm"] } })
        assert.deepStrictEqual({ reason, remedy }, {
          reason: "denied",
          remedy: { field: "allow_hosts", rule: "other.example:80" }
        })
        assert.strictEqual((yield* proxied).length, before)
      }))

    it.effect("a refusal, an endless answer and another protocol of the proxy are told apart", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* dial("forbidden.example", { port: 443 }), {
          reason: "refused",
          detail: `the proxy ${PROXY} answered 403 Forbidden by? policy for forbidden.example:443`
        })
        const garbage = yield* dial("garbage.example", { port: 443 })
        assert.deepStrictEqual(garbage, {
          reason: "failed",
          detail: `the proxy ${PROXY} sent no HTTP answer: "SSH-2.0-OpenSSH"`
        })
        const endless = yield* dial("endless.example", { port: 443 })
        assert.deepStrictEqual(endless, { reason: "failed", detail: `the proxy ${PROXY} sent an endless answer` })
      }))

    it.effect("settings that cannot be used say so, without their password", () =>
      Effect.gen(function*() {
        const { ask } = yield* Behind
        yield* ask({ op: "env", env: { https_proxy: "socks4://me:secret@192.168.7.1:1080" } })
        const { detail, reason } = yield* dial("any.example", { port: 443 })
        assert.deepStrictEqual({ detail, reason }, {
          reason: "failed",
          detail:
            "the proxy in HTTPS_PROXY has the scheme socks4; use http://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT"
        })
        yield* ask({ op: "env", env: { https_proxy: "http://203.0.113.66:3128" } })
        const dead = yield* dial("any.example", { port: 443 })
        assert.deepStrictEqual(dead, {
          reason: "unreachable",
          detail: "this host cannot reach 203.0.113.66: EHOSTUNREACH"
        })
      }))
  })

  it.live("a host whose resolver is silent asks it once, and the proxy resolves", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ kind: "ipv4", env: { ALL_PROXY: `http://${PROXY}` } })
      const dial = (name: string) => Effect.timed(world.ask({ op: "dial", name }))
      const [first, result] = yield* dial("a.silent.test.net")
      assert.strictEqual(result.text, "via proxy a.silent.test.net:80\nhello\n")
      assert.isAtLeast(Duration.toMillis(first), 1_000)
      yield* dial("b.silent.test.net")
      assert.deepStrictEqual(
        new Set(world.seen.flatMap((one) => one._tag === "Question" ? [one.name] : [])),
        new Set(["a.silent.test.net"])
      )
    }))
})
