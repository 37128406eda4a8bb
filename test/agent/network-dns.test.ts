import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { DnsAnswer } from "../../src/lib/guest-channel/model/network.ts"
import { withNetworkAgent } from "./agent.ts"
import { connectedNetwork, echo, js, serve } from "./network.ts"
import { run } from "./run.ts"

/** Asks a server for a name, in the way of c-ares. */
const ask = (server: string, script: string) =>
  `const r = new dns.Resolver({ tries: 1, timeout: 20000 }); r.setServers(["${server}"]);
   const say = (p) => p.then((a) => console.log(JSON.stringify(a)), (e) => console.log(e.code));
   (async () => { ${script} })()`

/** One TXT record of `example.com` for each text. */
const texts = (...values: ReadonlyArray<string>): DnsAnswer => {
  const name = Buffer.from("\x07example\x03com\x00", "latin1")
  const record = (value: string) =>
    Buffer.concat([
      name,
      Buffer.from([0, 16, 0, 1, 0, 0, 0, 60, 0, value.length + 1, value.length]),
      Buffer.from(value)
    ])
  return { _tag: "Records", count: values.length, records: Buffer.concat(values.map(record)) }
}

/** Sends bytes to port 53 over UDP and prints the answer as hex, or `nothing`. */
const datagram = (hex: string, waitMs = 10_000) =>
  `const u = require("node:dgram").createSocket("udp4");
   u.on("message", (m, from) => { console.log(m.toString("hex"), from.address, from.port); u.close() });
   u.send(Buffer.from("${hex}", "hex"), 53, "8.8.8.8"); setTimeout(() => { console.log("nothing"); process.exit() }, ${waitMs}).unref()`

withNetworkAgent("look-ups of the guest's programs", (it) => {
  it.effect("every server answers, over IPv4 and IPv6, from the address that was asked", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, {})
      for (const server of ["198.18.0.2", "8.8.8.8", "[2001:4860:4860::8888]"]) {
        const said = yield* js(
          channel,
          ask(server, `await say(r.resolve4("example.com")); await say(r.resolve6("example.com"))`)
        )
        assert.match(said, /^\["198\.1[89]\.\d+\.\d+"\]\nENODATA$/)
      }
    }))

  it.effect("a name keeps its address, and each name has one of its own", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const connected: Array<string | undefined> = []
      yield* serve(channel, {
        connect: (request) => {
          connected.push(request.name)
          return echo(request)
        }
      })
      const script = ask("198.18.0.2", `for (let i = 0; i < 40; i++) await say(r.resolve4("n" + i % 20 + ".Example"))`)
      const lines = (yield* js(channel, script)).split("\n")
      assert.strictEqual(new Set(lines).size, 20)
      assert.deepStrictEqual(lines.slice(0, 20), lines.slice(20))
      const address = (JSON.parse(lines[7]!) as ReadonlyArray<string>)[0]
      yield* js(channel, `net.connect(443, "${address}", function () { this.end() }).resume()`)
      assert.deepStrictEqual(connected, ["n7.example"])
    }))

  it.effect("the host's answers reach the program: no such name, no data, a failure, records", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const answers: Record<string, DnsAnswer> = {
        "denied.example": { _tag: "NoSuchName" },
        "empty.example": { _tag: "NoData" },
        "broken.example": { _tag: "ServerFailure" },
        "example.com": texts("first", "second")
      }
      yield* serve(channel, { resolve: (name) => answers[name]! })
      const said = yield* js(
        channel,
        ask(
          "198.18.0.2",
          `await say(r.resolve4("denied.example")); await say(r.resolve4("empty.example"));
           await say(r.resolve4("broken.example")); await say(r.resolveTxt("example.com"))`
        )
      )
      assert.deepStrictEqual(said.split("\n"), ["ENOTFOUND", "ENODATA", "ESERVFAIL", `[["first"],["second"]]`])
    }))

  it.effect("records beyond a datagram come over TCP", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      let asked = 0
      yield* serve(channel, {
        resolve: () => {
          asked++
          return texts(...Array.from({ length: 60 }, (_, i) => "x".repeat(200) + i))
        }
      })
      const said = yield* js(channel, ask("198.18.0.2", `await say(r.resolveTxt("example.com").then((a) => a.length))`))
      assert.deepStrictEqual([said, asked], ["60", 2])
    }))

  it.effect("a client that asks several questions over one connection and ends its side gets every answer", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, {})
      const said = yield* js(
        channel,
        `const q = Buffer.from("001f000701000001000000000000" + "0161076578616d706c6503636f6d0000010001", "hex");
         const wire = Buffer.concat([q, q, q]);
         let n = 0; const s = net.connect({ port: 53, host: "9.9.9.9", allowHalfOpen: true }, () => s.end(wire));
         s.on("data", (d) => { n += d.length }); s.on("close", () => console.log(n / (q.length + 16)))`
      )
      assert.strictEqual(said, "3")
    }))

  it.effect("the agent answers malformed questions and strange names without the host", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      let asked = 0
      yield* serve(channel, {
        resolve: () => {
          asked++
          return { _tag: "Address" }
        }
      })
      const head = "123401000001000000000000"
      // A pointer in the question, a label that runs out, two questions.
      for (const bytes of [`${head}c00c00010001`, `${head}3f6161`, "123401000002000000000000"]) {
        assert.match(yield* js(channel, datagram(bytes)), /^12348181[0-9a-f]{16} 8\.8\.8\.8 53$/)
      }
      // Names with NUL, a newline, a dot within a label; a name of 300 bytes.
      for (const label of ["03610062", "03610a62", "03612e62"]) {
        assert.match(yield* js(channel, datagram(`${head}${label}0000010001`)), /^12348183/)
      }
      assert.match(
        yield* js(channel, datagram(`${head}${("3f" + "61".repeat(63)).repeat(5)}0000010001`)),
        /^12348181/
      )
      assert.strictEqual(asked, 0)
    }))

  it.effect("glibc looks names up", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, {})
      const { stdout } = yield* run(channel, ["getent", "ahostsv4", "example.com"])
      assert.match(stdout, /^198\.1[89]\.\d+\.\d+ +STREAM example\.com/)
    }))

  it.effect("a flood of questions keeps 256 open and the next look-up works", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      let held = 0
      const answers: Array<Effect.Effect<void>> = []
      yield* serve(channel, {
        answer: (request) =>
          Effect.suspend(() => {
            if (request.name === "last.example") return request.answer({ _tag: "Address" })
            held++
            answers.push(request.answer({ _tag: "NoSuchName" }))
            return Effect.void
          })
      })
      yield* js(
        channel,
        `const u = require("node:dgram").createSocket("udp4"); let sent = 0;
         for (let i = 0; i < 3000; i++) {
           const name = "n" + String(i).padStart(5, "0");
           u.send(Buffer.concat([Buffer.from("123401000001000000000000", "hex"), Buffer.from([6]), Buffer.from(name), Buffer.from("0000010001", "hex")]),
             53, "8.8.8.8", () => { if (++sent === 3000) u.close() });
         }`
      )
      yield* channel.call.ping({ payload: Buffer.alloc(0) })
      assert.isAtMost(held, 256)
      assert.isAtLeast(held, 200)
      yield* Effect.all(answers, { discard: true })
      assert.match(yield* js(channel, ask("8.8.8.8", `await say(r.resolve4("last.example"))`)), /^\["198/)
    }), 60_000)
})
