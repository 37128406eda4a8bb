import { assert } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { NetworkMode } from "../../src/lib/guest-channel/model/calls.ts"
import type { ConnectRequest } from "../../src/lib/guest-channel/model/network.ts"
import { accept } from "../support/network/guest-requests.ts"
import { lapse } from "../support/until.ts"
import { Agent, withAgent, withNetworkAgent, withUnprivilegedNetworkAgent } from "./agent.ts"
import { connectedNetwork, echo, js, jsFiber, nextConnect, serve, textOf } from "./network.ts"

/** A program that prints how its connection ends: `end` at a FIN, the code of an error. */
const program = (port: number, host: string, then = "") =>
  `const s = net.connect(${port}, "${host}"); let text = "";
   s.on("data", (d) => text += d); s.on("end", () => console.log("end", text));
   s.on("error", (e) => console.log(e.code, text)); ${then}`

withNetworkAgent("connections of the guest's programs", (it) => {
  it.effect("a program reaches the host by a name, and its bytes flow both ways", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const asked: Array<unknown> = []
      yield* serve(channel, {
        connect: (request) => {
          asked.push([request.name, request.port])
          return echo(request)
        }
      })
      const said = yield* js(
        channel,
        program(8443, "Example.COM", `s.on("connect", () => { s.end("hello"); console.log(s.localAddress) })`)
      )
      assert.strictEqual(said, "198.18.0.1\nend hello")
      assert.deepStrictEqual(asked, [["example.com", 8443]])
    }))

  it.effect("a refused program fails with ECONNREFUSED, over IPv4 and IPv6", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const asked: Array<unknown> = []
      yield* serve(channel, {
        connect: (request) => {
          asked.push([request.name, request.address, request.port])
          return request.refuse
        }
      })
      assert.match(yield* js(channel, program(80, "1.2.3.4")), /^ECONNREFUSED/)
      assert.match(yield* js(channel, program(81, "2001:db8::1")), /^ECONNREFUSED/)
      assert.deepStrictEqual(asked, [[undefined, "1.2.3.4", 80], [undefined, "2001:db8::1", 81]])
    }))

  it.effect("a program waits for the host's answer", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, { connect: (request) => Effect.andThen(lapse(1_500), echo(request)) })
      const said = yield* js(channel, program(80, "2001:db8::2", `s.on("connect", () => s.end("late"))`))
      assert.strictEqual(said, "end late")
    }))

  it.effect("1 MiB passes in both directions", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, { connect: echo })
      const said = yield* js(
        channel,
        `const s = net.connect(80, "1.2.3.4", () => s.end(Buffer.alloc(3_000_000, 7))); let n = 0, good = true;
         s.on("data", (d) => { n += d.length; good &&= d.every((b) => b === 7) });
         s.on("end", () => console.log(n, good))`
      )
      assert.strictEqual(said, "3000000 true")
    }))

  it.effect("500 connections at once are all served", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, { connect: echo })
      const said = yield* js(
        channel,
        `let left = 500, good = 0;
         for (let i = 0; i < 500; i++) {
           const s = net.connect(80, "example.com", () => s.end("x" + i)); let text = "";
           s.on("data", (d) => text += d);
           s.on("close", () => { if (text === "x" + i) good++; if (--left === 0) console.log(good) })
         }`
      )
      assert.strictEqual(said, "500")
    }), 60_000)

  it.effect("a FIN of the host ends a program's input and leaves its output open", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const received = yield* Deferred.make<string, unknown>()
      yield* serve(channel, {
        connect: (request) =>
          Effect.gen(function*() {
            const socket = yield* accept(request)
            yield* socket.write(Buffer.from("all"))
            yield* socket.end
            const text = yield* textOf(socket)
            yield* Deferred.complete(received, Effect.as(socket.closed, text))
          })
      })
      const said = yield* js(
        channel,
        `const s = net.connect({ port: 80, host: "1.2.3.4", allowHalfOpen: true }); s.resume();
         s.on("end", () => setTimeout(() => s.end("after"), 100)); s.on("close", (e) => console.log(e))`
      )
      assert.deepStrictEqual([said, yield* Deferred.await(received)], ["false", "after"])
    }))

  it.effect("a reset by the host resets a program's connection", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, {
        connect: (request) =>
          Effect.flatMap(
            accept(request),
            (socket) => Effect.andThen(socket.write(Buffer.from("half")), Stream.runHead(socket.received))
          )
      })
      // A reset overtakes bytes that are on their way: the host waits until the program says that it has read.
      const said = yield* js(channel, program(80, "1.2.3.4", `s.on("data", () => s.write("read"))`))
      assert.strictEqual(said, "ECONNRESET half")
    }))

  it.effect("a reset by a program fails the host's socket, after its bytes", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const client = yield* jsFiber(
        channel,
        `const s = net.connect(80, "1.2.3.4", () => s.write("half", () => setTimeout(() => s.resetAndDestroy(), 50)));
         s.on("close", () => console.log("gone"))`
      )
      const socket = yield* Effect.flatMap(nextConnect(channel), accept)
      const pieces: Array<string> = []
      const failure = yield* socket.received.pipe(
        Stream.runForEach((bytes) => Effect.sync(() => pieces.push(Buffer.from(bytes).toString()))),
        Effect.flip
      )
      assert.deepStrictEqual(pieces, ["half"])
      assert.deepInclude(failure, { errno: "ECONNRESET" })
      assert.strictEqual(yield* Fiber.join(client), "gone")
    }))

  it.effect("a request whose program gave up is withdrawn", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* jsFiber(channel, `const s = net.connect(80, "1.2.3.4"); setTimeout(() => s.destroy(), 200)`)
      const request = yield* nextConnect(channel)
      yield* request.withdrawn
      assert.deepInclude(yield* Effect.flip(Effect.scoped(accept(request))), { errno: "ECONNABORTED" })
    }), 30_000)

  it.effect("an accepted connection whose program gave up fails", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const client = yield* jsFiber(
        channel,
        `const s = net.connect(80, "1.2.3.4"); setTimeout(() => { s.destroy(); console.log("gone") }, 50)`
      )
      const request = yield* nextConnect(channel)
      assert.strictEqual(yield* Fiber.join(client), "gone")
      assert.deepInclude(yield* Effect.flip(Effect.scoped(accept(request))), { errno: "ECONNABORTED" })
    }), 30_000)

  it.effect("a server of the guest keeps its own addresses, also new ones", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const asked: Array<string> = []
      yield* serve(channel, {
        connect: (request) => {
          asked.push(request.address)
          return request.refuse
        }
      })
      const said = yield* js(
        channel,
        `require("node:child_process").execFileSync("/usr/sbin/ip", ["addr", "add", "10.9.9.9/32", "dev", "lo"]);
         const server = net.createServer((s) => s.end("mine")).listen(8080, "0.0.0.0", async () => {
           for (const host of ["127.0.0.1", "127.9.9.9", "198.18.0.1", "10.9.9.9", "10.9.9.8"])
             await new Promise((done) => net.connect(8080, host).on("data", (d) => console.log(host, String(d)))
               .on("error", (e) => console.log(host, e.code)).on("close", done));
           server.close();
         })`
      )
      assert.deepStrictEqual(said.split("\n"), [
        "127.0.0.1 mine",
        "127.9.9.9 mine",
        "198.18.0.1 mine",
        "10.9.9.9 mine",
        "10.9.9.8 ECONNREFUSED"
      ])
      assert.deepStrictEqual(asked, ["10.9.9.8"])
    }))
})

withNetworkAgent("a network that is turned on and off", (it) => {
  const open = (isOpen: Deferred.Deferred<void>) => (request: ConnectRequest) =>
    Effect.flatMap(
      accept(request),
      ({ received }) => Stream.runForEach(received, () => Deferred.succeed(isOpen, undefined))
    )

  it.effect("off resets open connections, refuses waiting ones and leaves no way out", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const isOpen = yield* Deferred.make<void>()
      const isAsked = yield* Deferred.make<void>()
      yield* serve(channel, {
        connect: (request) =>
          request.port === 80
            ? open(isOpen)(request)
            : Effect.andThen(Deferred.succeed(isAsked, undefined), Effect.never)
      })
      const clients = yield* jsFiber(
        channel,
        `for (const port of [80, 81]) {
           const s = net.connect(port, "1.2.3.4", () => s.write("open"));
           s.on("error", (e) => console.log(port, e.code))
         }`
      )
      yield* Deferred.await(isOpen)
      yield* Deferred.await(isAsked)
      yield* channel.call.network({ mode: NetworkMode.off })
      assert.deepStrictEqual((yield* Fiber.join(clients)).split("\n").sort(), ["80 ECONNRESET", "81 ECONNREFUSED"])
      assert.match(yield* js(channel, program(80, "1.2.3.4")), /^ENETUNREACH/)
      assert.match(yield* js(channel, program(80, "2001:db8::1")), /^ENETUNREACH/)
    }))

  it.effect("on and off may be called again", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, { connect: echo })
      for (const mode of [NetworkMode.on, NetworkMode.off, NetworkMode.off, NetworkMode.prepare, NetworkMode.on]) {
        yield* channel.call.network({ mode })
      }
      assert.strictEqual(
        yield* js(channel, program(80, "1.2.3.4", `s.on("connect", () => s.end("again"))`)),
        "end again"
      )
    }))
})

withUnprivilegedNetworkAgent("an agent whose kernel refuses steering", (it) => {
  it.effect("prepare succeeds, on names the step that the kernel refuses, and commands run", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      yield* channel.call.network({ mode: NetworkMode.prepare })
      assert.deepInclude(yield* Effect.flip(channel.call.network({ mode: NetworkMode.on })), {
        errno: "EPERM",
        detail: "map of own addresses"
      })
      yield* channel.call.network({ mode: NetworkMode.off })
      assert.match(yield* js(channel, program(80, "1.2.3.4")), /^ENETUNREACH/)
    }))
})

withAgent("an agent that may not steer", (it) => {
  it.effect("the call fails in the network namespace of the host", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      for (const mode of Object.values(NetworkMode)) {
        assert.deepInclude(yield* Effect.flip(channel.call.network({ mode })), { errno: "EOPNOTSUPP" })
      }
    }))
})
