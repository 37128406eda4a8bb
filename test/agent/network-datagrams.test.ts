import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import type { DatagramRequest } from "../../src/lib/guest-channel/model/network.ts"
import { accept } from "../support/network/guest-requests.ts"
import { lapse } from "../support/until.ts"
import { withNetworkAgent } from "./agent.ts"
import { connectedNetwork, js, serve } from "./network.ts"

/** Sends back what comes: datagrams with their lengths. */
const echo = (request: DatagramRequest) =>
  Effect.flatMap(accept(request), (socket) => Stream.runForEach(socket.received, (bytes) => socket.write(bytes)))

/** Refuses each flow, and counts the requests. */
const refusing = (channel: GuestChannel) =>
  Effect.gen(function*() {
    let asked = 0
    yield* serve(channel, {
      datagrams: (request) => {
        asked++
        return request.refuse
      }
    })
    return () => asked
  })

const program = (type: "udp4" | "udp6", script: string) =>
  `const dgram = require("node:dgram"); const s = dgram.createSocket("${type}");
   s.on("error", (e) => { console.log(e.code); s.close() }); ${script}`

/** Sends datagrams of these sizes, one after the answer to the other, and prints the answers' sizes and senders. */
const rounds = (sizes: ReadonlyArray<number>, port: number, host: string) =>
  `const sizes = ${JSON.stringify(sizes)}; let i = 0;
   const next = () => i < sizes.length ? s.send(Buffer.alloc(sizes[i], i), ${port}, "${host}") : (console.log("done"), s.close());
   s.on("message", (m, from) => {
     console.log(m.length, m.every((b) => b === i), from.address, from.port); i++; next()
   }); next();`

withNetworkAgent("datagrams of the guest's programs", (it) => {
  it.effect("each datagram goes to the host and back whole, of every size, over IPv4 and IPv6", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const asked: Array<unknown> = []
      yield* serve(channel, {
        datagrams: (request) => {
          asked.push([request.name, request.address, request.port])
          return echo(request)
        }
      })
      const sizes = [1, 0, 1200, 9000, 65_000]
      const lines = (host: string) => [...sizes.map((size) => `${size} true ${host} 4433`), "done"].join("\n")
      assert.strictEqual(
        yield* js(channel, program("udp4", rounds(sizes, 4433, "192.0.2.1"))),
        lines("192.0.2.1")
      )
      assert.strictEqual(
        yield* js(channel, program("udp6", rounds(sizes, 4433, "2001:db8::1"))),
        lines("2001:db8::1")
      )
      assert.deepStrictEqual(asked, [[undefined, "192.0.2.1", 4433], [undefined, "2001:db8::1", 4433]])
    }))

  it.effect("the host gets the name that a program looked up, and one request for each pair of ports", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const asked: Array<unknown> = []
      yield* serve(channel, {
        datagrams: (request) => {
          asked.push([request.name, request.port])
          return echo(request)
        }
      })
      const said = yield* js(
        channel,
        program(
          "udp4",
          `dns.lookup("Time.Example.com").then(({ address }) => {
             let n = 0; s.on("message", () => { if (++n === 4) { console.log(n); s.close() } });
             for (const port of [123, 124, 123, 124]) s.send("x", port, address)
           })`
        )
      )
      assert.strictEqual(said, "4")
      assert.deepStrictEqual(asked, [["time.example.com", 123], ["time.example.com", 124]])
    }))

  it.effect("a refused program fails with ECONNREFUSED, over IPv4 and IPv6, and asks once in a second", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const asked = yield* refusing(channel)
      const connected = (host: string) =>
        `s.connect(443, "${host}", () => {
           let left = 5;
           const again = () => { if (left-- > 0) { s.send("x"); setTimeout(again, 20) } };
           s.removeAllListeners("error"); const codes = [];
           s.on("error", (e) => codes.push(e.code)); again();
           setTimeout(() => { console.log([...new Set(codes)].join()); s.close() }, 300)
         })`
      assert.strictEqual(yield* js(channel, program("udp4", connected("192.0.2.1"))), "ECONNREFUSED")
      assert.strictEqual(yield* js(channel, program("udp6", connected("2001:db8::1"))), "ECONNREFUSED")
      assert.strictEqual(asked(), 2)
    }))

  it.effect("datagrams before the host's answer are kept, and a flow that the host has ended begins anew", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      let asked = 0
      yield* serve(channel, {
        datagrams: (request) => {
          asked++
          const one = Effect.flatMap(
            accept(request),
            (socket) => Stream.runForEach(Stream.take(socket.received, 1), (bytes) => socket.write(bytes))
          )
          return Effect.andThen(lapse(300), one)
        }
      })
      const said = yield* js(
        channel,
        program(
          "udp4",
          `const got = []; s.on("message", (m) => got.push(String(m)));
           s.send("a", 7, "192.0.2.1"); s.send("b", 7, "192.0.2.1");
           setTimeout(() => s.send("c", 7, "192.0.2.1"), 1500);
           setTimeout(() => { console.log(got.join()); s.close() }, 2600)`
        )
      )
      assert.strictEqual(said, "a,b,c")
      assert.strictEqual(asked, 2)
    }))

  it.effect("a flow whose other side refuses a datagram fails with ECONNREFUSED, loses no datagram before, and begins anew", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      let asked = 0
      yield* serve(channel, {
        datagrams: (request) => {
          asked++
          return Effect.flatMap(
            accept(request),
            (socket) =>
              Stream.runForEach(Stream.take(socket.received, 1), (bytes) => socket.write(bytes)).pipe(
                Effect.andThen(socket.end),
                Effect.andThen(socket.closed)
              )
          )
        }
      })
      const refused = (host: string) =>
        // The kernel gives the error to the program before datagrams that wait.
        `const said = []; s.removeAllListeners("error");
         const add = (one) => {
           said.push(one);
           if (said.length === 2) setTimeout(() => s.send("b"), 2100);
           if (said.length === 4) { console.log(said.sort().join()); s.close() }
         };
         s.on("message", (m) => add(String(m))).on("error", ({ code }) => add(code)).connect(7, "${host}", () => s.send("a"))`
      const said = "ECONNREFUSED,ECONNREFUSED,a,b"
      assert.strictEqual(yield* js(channel, program("udp4", refused("192.0.2.1"))), said)
      assert.strictEqual(yield* js(channel, program("udp6", refused("2001:db8::1"))), said)
      assert.strictEqual(asked, 4)
    }))

  it.effect("addresses of no other machine have no route, and the guest's own servers get their datagrams", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const asked = yield* refusing(channel)
      const unreachable = (type: "udp4" | "udp6", host: string) =>
        js(channel, program(type, `s.send("x", 5353, "${host}", (e) => { console.log(e?.code ?? "sent"); s.close() })`))
      assert.strictEqual(yield* unreachable("udp4", "224.0.0.251"), "ENETUNREACH")
      assert.match(yield* unreachable("udp6", "ff02::fb"), /^E(NETUNREACH|HOSTUNREACH|ADDRNOTAVAIL)/)
      assert.strictEqual(
        yield* js(
          channel,
          program(
            "udp4",
            `s.on("message", (m, from) => { console.log(String(m), from.address); s.close() });
             s.bind(5000, () => { const t = dgram.createSocket("udp4"); t.send("own", 5000, "127.0.0.1", () => t.close()) })`
          )
        ),
        "own 127.0.0.1"
      )
      assert.strictEqual(asked(), 0)
    }))

  it.effect("two datagrams cut and joined by the host's writes arrive as two", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, {
        datagrams: (request) =>
          Effect.gen(function*() {
            const socket = yield* accept(request)
            yield* socket.write(Buffer.from([0]))
            yield* socket.write(Buffer.from([2, 65]))
            yield* lapse(100)
            yield* socket.write(Buffer.from([66, 0, 1, 67]))
            return yield* Effect.never
          })
      })
      const said = yield* js(
        channel,
        program(
          "udp4",
          `const got = []; s.on("message", (m) => { got.push(String(m)); if (got.length === 2) { console.log(got.join()); s.close() } });
           s.send("x", 7, "192.0.2.1")`
        )
      )
      assert.strictEqual(said, "AB,C")
    }))
})
