import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Duration, Effect, Fiber, Layer, Schedule } from "effect"
import { readFileSync } from "node:fs"
import { processesWithArgument } from "../../src/system/processes/identity.ts"
import { makeWorld, type Result, type World } from "./world/world.ts"

class Dual extends Context.Service<Dual, World>()("test/Dual") {
  static readonly layer = Layer.effect(Dual, makeWorld({ kind: "dual", hosts: "192.168.7.1 printer.test.net\n" }))
}

const SERVER = "203.0.113.10"

/** What the server says to a client that sent "hello". */
const greeted = (address: string): Result => ({
  address,
  text: `${address.includes(":") ? address : `::ffff:${address}`}\nhello\n`,
  viaProxy: false
})

/** The dial process that a world's host runs. */
const dialProcessOf = ({ host }: World) =>
  processesWithArgument("network-dial").find(({ pid }) => parentOf(pid) === host.pid)

const parentOf = (pid: number) => {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])
  } catch {
    return undefined // it ended meanwhile
  }
}

describe("the dial process", () => {
  layer(Dual.layer, { excludeTestServices: true, timeout: "10 minutes" })((it) => {
    const ask = (request: Readonly<Record<string, unknown>>) => Effect.flatMap(Dual, (world) => world.ask(request))
    const dial = (name: string, more: Readonly<Record<string, unknown>> = {}) => ask({ op: "dial", name, ...more })

    it.effect("a name is resolved and connected, and a server that speaks first is heard", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* dial("server.test.net"), greeted(SERVER))
        assert.deepStrictEqual(yield* dial("SERVER.test.net."), greeted(SERVER))
      }))

    it.effect("an IPv6 address is dialled where the host has IPv6", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* dial("v6.test.net"), greeted("2001:db8:1::10"))
      }))

    const denials: ReadonlyArray<readonly [name: string, address: string, kind: string]> = [
      ["lan.test.net", "192.168.7.1", "a private address"],
      ["metadata.test.net", "169.254.169.254", "an address of a metadata service"],
      ["loopback.test.net", "127.0.0.1", "a loopback address"],
      ["myself.test.net", "198.51.100.2", "an address of this host"],
      ["printer.test.net", "192.168.7.1", "a private address"]
    ]
    for (const [name, address, kind] of denials) {
      it.effect(`a name of ${kind} is denied: ${name}`, () =>
        Effect.gen(function*() {
          const allowHosts = [name]
          const { seen } = yield* Dual
          const connections = () =>
            seen.filter((one) => one._tag === "Connection" && one.address === `::ffff:${address}`).length
          const before = connections()
          assert.deepStrictEqual(yield* dial(name, { policy: { allowHosts } }), {
            reason: "denied",
            detail: `${name} resolves to an address that is denied: ${address} is ${kind}`,
            // A loopback address is the guest's own in the guest.
            remedy: address === "127.0.0.1"
              ? { field: "allow_hosts", rule: "host.pyro.internal:80" }
              : { field: "allow_ips", rule: `${address}:80` }
          })
          assert.strictEqual(connections(), before)
        }))
    }

    it.effect("IPv4-mapped and NAT64 forms of a private address are denied", () =>
      Effect.gen(function*() {
        const { detail, reason } = yield* dial("mapped.test.net")
        assert.strictEqual(reason, "denied")
        assert.match(detail!, /(IPv4-mapped|NAT64)/)
      }))

    it.effect("a name and the rule for its private address open it", () =>
      Effect.gen(function*() {
        const policy = { allowHosts: ["lan.test.net"], allowIps: ["192.168.7.1:80"] }
        assert.deepStrictEqual(yield* dial("lan.test.net", { policy }), greeted("192.168.7.1"))
        const other = yield* dial("lan.test.net", { policy: { ...policy, allowIps: ["192.168.7.1:81"] } })
        assert.strictEqual(other.reason, "denied")
      }))

    it.effect("the private one of several addresses is left out", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* dial("mixed.test.net"), greeted(SERVER))
      }))

    it.effect("the judged address is dialled, whatever a second look-up would answer", () =>
      Effect.gen(function*() {
        const { seen } = yield* Dual
        assert.deepStrictEqual(yield* dial("changing.test.net"), greeted(SERVER))
        const asked = seen.filter((one) =>
          one._tag === "Question" && one.name === "changing.test.net" && one.type === 1
        )
        assert.strictEqual(asked.length, 1)
        const second = yield* dial("changing.test.net")
        assert.strictEqual(second.reason, "denied")
      }))

    it.effect("ten addresses that come over TCP are tried until one answers", () =>
      Effect.gen(function*() {
        const { seen } = yield* Dual
        assert.deepStrictEqual(yield* dial("ten.test.net"), greeted(SERVER))
        assert.isTrue(seen.some((one) => one._tag === "Question" && one.name === "ten.test.net" && one.over === "tcp"))
      }))

    it.effect("a server that answers nothing delays the next address by 250 ms", () =>
      Effect.gen(function*() {
        const [duration, result] = yield* Effect.timed(dial("dead-first.test.net"))
        assert.deepStrictEqual(result, greeted(SERVER))
        assert.isAtLeast(Duration.toMillis(duration), 250)
      }))

    it.effect("an address of this host that no interface has is denied after the connection", () =>
      Effect.gen(function*() {
        const { detail, reason } = yield* dial("anycast.test.net")
        assert.deepStrictEqual({ detail, reason }, {
          reason: "denied",
          detail: "203.0.113.99 is an address of this host"
        })
      }))

    it.effect("an address without a name needs a rule", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* ask({ op: "dial", address: SERVER }), {
          reason: "denied",
          detail: "no rule allows the address",
          remedy: { field: "allow_ips", rule: `${SERVER}:80` }
        })
        const allowIps = [`${SERVER}:80`, "[2001:db8:1::/48]:80"]
        assert.deepStrictEqual(yield* ask({ op: "dial", address: SERVER, policy: { allowIps } }), greeted(SERVER))
        const v6 = "2001:db8:1::10"
        assert.deepStrictEqual(yield* ask({ op: "dial", address: v6, policy: { allowIps } }), greeted(v6))
      }))

    it.effect("the failures of a connection are told apart", () =>
      Effect.gen(function*() {
        const reasons = yield* Effect.all({
          refused: dial("server.test.net", { port: 81 }),
          unresolved: dial("nothing.test.net"),
          unreachable: dial("dead.test.net")
        }, { concurrency: "unbounded" })
        assert.strictEqual(reasons.refused.reason, "refused")
        assert.strictEqual(reasons.refused.detail, `${SERVER} refused the connection`)
        assert.strictEqual(reasons.unresolved.reason, "unresolved")
        assert.strictEqual(reasons.unresolved.detail, "the name nothing.test.net has no address")
        assert.strictEqual(reasons.unreachable.reason, "unreachable")
      }))

    it.effect("a resolver that answers nothing delays no other group", () =>
      Effect.gen(function*() {
        const { seen } = yield* Dual
        const slow = yield* Effect.forkScoped(Effect.all(
          Array.from({ length: 100 }, (_, at) => dial(`n${at}.silent.test.net`, { group: "slow" })),
          { concurrency: "unbounded" }
        ))
        yield* Effect.sync(() => seen.some((one) => one._tag === "Question" && one.name.endsWith(".silent.test.net")))
          .pipe(
            Effect.repeat({ until: (asked) => asked, schedule: Schedule.spaced("5 millis") })
          )
        assert.deepStrictEqual(yield* dial("server.test.net", { group: "other" }), greeted(SERVER))
        assert.isUndefined(slow.pollUnsafe())
      }).pipe(Effect.scoped))

    it.effect("500 connections at once are all served", () =>
      Effect.gen(function*() {
        const all = yield* Effect.all(Array.from({ length: 500 }, () => dial("server.test.net")), {
          concurrency: "unbounded"
        })
        for (const one of all) assert.deepStrictEqual(one, greeted(SERVER))
      }))

    it.effect("the records of services are passed on, and those with denied targets are not", () =>
      Effect.gen(function*() {
        const srv = yield* ask({ op: "resolve", name: "_http._tcp.server.test.net", type: 33 })
        assert.deepStrictEqual([srv.answer, srv.count], ["Records", 1])
        assert.match(
          srv.records!,
          /^055f68747470045f746370067365727665720474657374036e6574000021000100000?0?3c00?/
        )
        const allowHosts = ["server.test.net:443"]
        const filtered = yield* ask({
          op: "resolve",
          name: "_http._tcp.server.test.net",
          type: 33,
          policy: { allowHosts }
        })
        assert.strictEqual(filtered.answer, "NoData")
        const mx = yield* ask({ op: "resolve", name: "mail.test.net", type: 15 })
        assert.match(mx.records!, /000a067365727665720474657374036e657400$/)
        const txt = yield* ask({ op: "resolve", name: "text.test.net", type: 16 })
        assert.deepStrictEqual([txt.answer, txt.count], ["Records", 2])
        assert.include(txt.records, Buffer.from("\x07v=spf1 \x04-all").toString("hex"))
      }))

    it.effect("no question leaves the host for a denied name, and none for the address of an allowed one", () =>
      Effect.gen(function*() {
        const { seen } = yield* Dual
        const policy = { allowHosts: ["server.test.net"] }
        const types = [1, 28, 15, 16, 33, 65]
        const answers = yield* Effect.all(
          types.map((type) => ask({ op: "resolve", name: "quiet.test.net", type, policy }))
        )
        assert.deepStrictEqual(answers.map(({ answer }) => answer), types.map(() => "NoSuchName"))
        assert.isFalse(seen.some((one) => one._tag === "Question" && one.name === "quiet.test.net"))
        const allowed = yield* Effect.all(
          [1, 28, 65].map((type) => ask({ op: "resolve", name: "quiet.test.net", type }))
        )
        assert.deepStrictEqual(allowed.map(({ answer }) => answer), ["Address", "NoData", "NoData"])
        assert.isFalse(seen.some((one) => one._tag === "Question" && one.name === "quiet.test.net"))
      }))

    it.effect("a crash of the process fails the requests that wait, and the next request starts another", () =>
      Effect.gen(function*() {
        const world = yield* Dual
        const waiting = yield* Effect.forkScoped(dial("silent.test.net", { group: "crash" }))
        yield* Effect.sync(() => world.seen.some((one) => one._tag === "Question" && one.name === "silent.test.net"))
          .pipe(
            Effect.repeat({ until: (asked) => asked, schedule: Schedule.spaced("5 millis") })
          )
        const first = dialProcessOf(world)!
        process.kill(first.pid, "SIGKILL")
        const { detail, reason } = yield* Fiber.join(waiting)
        assert.deepStrictEqual({ detail, reason }, {
          reason: "failed",
          detail: "the dial process ended with SIGKILL"
        })
        assert.deepStrictEqual(yield* dial("server.test.net"), greeted(SERVER))
        assert.notStrictEqual(dialProcessOf(world)!.pid, first.pid)
      }).pipe(Effect.scoped))
  })

  it.live("a connection that is interrupted at any moment leaves no socket open", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ kind: "ipv4" })
      const { count } = yield* world.ask({ op: "interrupt", name: "server.test.net" })
      assert.isBelow(count!, 300)
      const open = () =>
        world.seen.reduce((sum, { _tag }) => sum + (_tag === "Connection" ? 1 : _tag === "Closed" ? -1 : 0), 0)
      // This connection comes after the last of the others.
      assert.deepStrictEqual(yield* world.ask({ op: "dial", name: "server.test.net" }), greeted(SERVER))
      yield* Effect.sync(open).pipe(
        Effect.repeat({ until: (count) => count === 0, schedule: Schedule.spaced("5 millis") }),
        Effect.timeout("30 seconds")
      )
      assert.isTrue(world.seen.some(({ _tag }) => _tag === "Connection"))
    }))

  it.live("the process ends with a daemon that is killed, also while a look-up waits", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ kind: "ipv4" })
      yield* Effect.forkScoped(world.ask({ op: "dial", name: "silent.test.net" }))
      yield* Effect.sync(() => world.seen.some((one) => one._tag === "Question")).pipe(
        Effect.repeat({ until: (asked) => asked, schedule: Schedule.spaced("5 millis") })
      )
      const { pid } = dialProcessOf(world)!
      world.host.kill("SIGKILL")
      yield* Effect.sync(() => processesWithArgument("network-dial").some((one) => one.pid === pid)).pipe(
        Effect.repeat({ while: (alive) => alive, schedule: Schedule.spaced("5 millis") }),
        Effect.timeout("30 seconds")
      )
    }))

  it.live("the process ends with the layer's Scope", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ kind: "ipv4" })
      assert.isUndefined(dialProcessOf(world))
      assert.deepStrictEqual(yield* world.ask({ op: "dial", name: "both.test.net" }), greeted(SERVER))
      assert.isDefined(dialProcessOf(world))
      yield* world.ask({ op: "stop" })
      yield* Effect.sync(() => dialProcessOf(world)).pipe(
        Effect.repeat({ until: (found) => found === undefined, schedule: Schedule.spaced("5 millis") }),
        Effect.timeout("30 seconds")
      )
    }))

  it.live("an address that the host gets or loses, as a VPN's, is judged at each connection", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ kind: "ipv4" })
      const dial = world.ask({ op: "dial", name: "server.test.net" })
      assert.deepStrictEqual(yield* dial, greeted(SERVER))
      yield* world.ip("address", "add", `${SERVER}/32`, "dev", "wan")
      const { detail, remedy } = yield* dial
      assert.deepStrictEqual({ detail, remedy }, {
        detail: `server.test.net resolves to an address that is denied: ${SERVER} is an address of this host`,
        remedy: { field: "allow_ips", rule: `${SERVER}:80` }
      })
      yield* world.ip("address", "delete", `${SERVER}/32`, "dev", "wan")
      assert.deepStrictEqual(yield* dial, greeted(SERVER))
      yield* world.ip("link", "set", "wan", "down")
      const down = yield* world.ask({ op: "dial", address: SERVER, policy: { allowIps: [SERVER] } })
      assert.strictEqual(down.reason, "unreachable")
    }))

  it.live("a resolver on the host's loopback answers the host, and no guest reaches it", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ kind: "stub" })
      assert.deepStrictEqual(yield* world.ask({ op: "dial", name: "server.test.net" }), greeted(SERVER))
      const { reason } = yield* world.ask({ op: "dial", address: "127.0.0.53", port: 53 })
      assert.strictEqual(reason, "denied")
    }))

  it.live("without any network a name is unresolved and an address unreachable", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ kind: "unplugged" })
      const name = yield* world.ask({ op: "dial", name: "server.test.net" })
      assert.strictEqual(name.reason, "unresolved")
      const address = yield* world.ask({ op: "dial", address: SERVER, policy: { allowIps: [SERVER] } })
      assert.deepStrictEqual([address.reason, address.detail], [
        "unreachable",
        `this host cannot reach ${SERVER}: ENETUNREACH`
      ])
    }))
})
