import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option, Result, Schedule, Scope, Stream } from "effect"
import type { GuestChannel } from "../../../../src/lib/guest-channel/GuestChannel.ts"
import type { ConnectRequest, ResolveRequest } from "../../../../src/lib/guest-channel/model/network.ts"
import { literalOf } from "../../../../src/lib/guest-channel/streams/network-table.ts"
import { AgentMessage, HostMessage, RequestAnswer } from "../../../support/guest-channel/guest-wire.ts"
import { accept, networkRequests } from "../../../support/network/guest-requests.ts"
import { connected, type Peer } from "./peer.ts"

const address = Uint8Array.of(198, 18, 1, 7)
const ask = (
  peer: Peer,
  fields: Partial<{ request: number; what: number; address: Uint8Array; port: number; name: string }> = {}
) => peer.send(AgentMessage.Request, 0, { request: 1, what: 1, address, port: 443, name: "example.com", ...fields })
const resolve = (peer: Peer, request: number, name: string, port = 1) =>
  ask(peer, { request, what: 2, address: Buffer.alloc(0), port, name })

const next = (channel: GuestChannel) => Effect.map(Stream.runHead(networkRequests(channel)), Option.getOrThrow)
const nextConnect = (channel: GuestChannel) => Effect.map(next(channel), (request) => request as ConnectRequest)
const nextResolve = (channel: GuestChannel) => Effect.map(next(channel), (request) => request as ResolveRequest)

/** A connection that the host has accepted and the agent has started. */
const accepted = Effect.gen(function*() {
  const { channel, peer } = yield* connected
  ask(peer)
  const request = yield* nextConnect(channel)
  const scope = yield* Scope.make()
  const accepting = yield* Effect.forkChild(Scope.provide(accept(request), scope))
  const [opener] = yield* peer.received(HostMessage.Accept)
  peer.send(AgentMessage.Started, opener!.stream, { pid: 0 })
  return { channel, opener: opener!, peer, request, scope, socket: yield* Fiber.join(accepting) }
})

describe("requests of a guest for the network", () => {
  it.live("a connect request carries the name, the literal and the port", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      ask(peer)
      ask(peer, { request: 2, address: Uint8Array.of(1, 2, 3, 4), port: 80, name: "" })
      const requests = yield* networkRequests(channel).pipe(Stream.take(2), Stream.runCollect)
      assert.deepStrictEqual(
        [...requests].map((request) => request._tag === "Connect" && [request.name, request.address, request.port]),
        [["example.com", "198.18.1.7", 443], [undefined, "1.2.3.4", 80]]
      )
    }))

  it.live("a refusal is sent once", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      ask(peer)
      const { refuse } = yield* nextConnect(channel)
      yield* refuse
      yield* refuse
      yield* Effect.forkChild(channel.call.clockGet({}))
      yield* peer.received(HostMessage.Call)
      assert.deepStrictEqual(peer.framesOf(HostMessage.Answer).map(({ answer, request }) => [request, answer]), [
        [1, RequestAnswer.refused]
      ])
    }))

  it.live("an accepted request becomes a stream of the host's number, with a large window", () =>
    Effect.gen(function*() {
      const { opener } = yield* accepted
      assert.deepStrictEqual([opener.request, opener.stream, opener.window], [1, 1, 1_048_576])
    }))

  it.live("an accepted connection may be sent 1 MiB ahead", () =>
    Effect.gen(function*() {
      const { opener, peer, socket } = yield* accepted
      yield* Effect.forkChild(socket.write(Buffer.alloc(2_097_152)))
      yield* peer.received(HostMessage.DataIn, 32)
      const sent = peer.framesOf(HostMessage.DataIn).reduce((sum, { data }) => sum + data.length, 0)
      assert.isAtMost(sent, 1_048_576)
      peer.send(AgentMessage.AckIn, opener.stream, { offset: sent })
      assert.isAbove((yield* peer.received(HostMessage.DataIn, 40)).length, 39)
    }))

  it.live("the end of the guest's output ends what is received", () =>
    Effect.gen(function*() {
      const { opener, peer, socket } = yield* accepted
      peer.send(AgentMessage.DataOut, opener.stream, { output: 1, offset: 0, data: Buffer.from("GET /") })
      peer.send(AgentMessage.EndOut, opener.stream, { output: 1, offset: 5 })
      const pieces = yield* Stream.runCollect(socket.received)
      assert.strictEqual(Buffer.concat([...pieces]).toString(), "GET /")
    }))

  it.live("a reset by the guest fails the received stream, after its bytes", () =>
    Effect.gen(function*() {
      const { opener, peer, socket } = yield* accepted
      peer.send(AgentMessage.DataOut, opener.stream, { output: 1, offset: 0, data: Buffer.from("half") })
      peer.send(AgentMessage.Failed, opener.stream, { errno: 104, step: 7, detail: "reading output" })
      const pieces: Array<string> = []
      const failure = yield* socket.received.pipe(
        Stream.runForEach((bytes) => Effect.sync(() => pieces.push(Buffer.from(bytes).toString()))),
        Effect.flip
      )
      assert.deepStrictEqual(pieces, ["half"])
      assert.deepInclude(failure, { _tag: "AgentCallFailed", errno: "ECONNRESET" })
      assert.deepInclude(yield* Effect.flip(socket.closed), { _tag: "AgentCallFailed", errno: "ECONNRESET" })
    }))

  it.live("the end of its Scope releases an open connection", () =>
    Effect.gen(function*() {
      const { opener, peer, scope } = yield* accepted
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual((yield* peer.received(HostMessage.Release)).map(({ stream }) => stream), [opener.stream])
    }))

  it.live("a connection that is accepted at once is sent in the same turn, and released by its holder", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      ask(peer)
      const request = yield* nextConnect(channel)
      const writes = peer.host.writes.length
      const { release, socket } = Result.getOrThrow(request.acceptNow())
      assert.strictEqual(peer.host.writes.length, writes + 1)
      const [opener] = yield* peer.received(HostMessage.Accept)
      peer.send(AgentMessage.Started, opener!.stream, { pid: 0 })
      yield* socket
      release()
      assert.strictEqual((yield* peer.received(HostMessage.Release)).length, 1)
      assert.isTrue(Result.isFailure(request.acceptNow()))
    }))

  it.live("a withdrawn request tells its holder and cannot be accepted", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      ask(peer)
      const request = yield* nextConnect(channel)
      peer.send(AgentMessage.Withdraw, 0, { request: 1 })
      yield* request.withdrawn
      assert.deepInclude(yield* Effect.flip(Effect.scoped(accept(request))), { errno: "ECONNABORTED" })
      assert.strictEqual(peer.framesOf(HostMessage.Accept).length, 0)
    }))

  it.live("a withdrawn look-up tells its holder and gets no answer", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      resolve(peer, 1, "example.com", 16)
      const request = yield* nextResolve(channel)
      peer.send(AgentMessage.Withdraw, 0, { request: 1 })
      yield* request.withdrawn
      yield* request.answer({ _tag: "NoData" })
      yield* Effect.forkChild(channel.call.clockGet({}))
      yield* peer.received(HostMessage.Call)
      assert.strictEqual(peer.framesOf(HostMessage.Answer).length, 0)
    }))

  it.live("a request that was withdrawn before anybody took it is never seen", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      ask(peer)
      peer.send(AgentMessage.Withdraw, 0, { request: 1 })
      ask(peer, { request: 2, name: "later.example" })
      assert.strictEqual((yield* nextConnect(channel)).name, "later.example")
    }))

  it.live("a look-up is answered with an address, with nothing or with records", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      for (const request of [1, 2, 3]) resolve(peer, request, "example.com", request)
      const records = Uint8Array.of(0, 0, 1)
      yield* (yield* nextResolve(channel)).answer({ _tag: "Address" })
      yield* (yield* nextResolve(channel)).answer({ _tag: "NoData" })
      const third = yield* nextResolve(channel)
      assert.deepStrictEqual([third.name, third.type], ["example.com", 3])
      yield* third.answer({ _tag: "Records", records, count: 1 })
      yield* third.answer({ _tag: "NoData" })
      const answers = yield* peer.received(HostMessage.Answer, 3)
      assert.deepStrictEqual(
        answers.map(({ answer, count, records, request }) => [request, answer, count, records.length]),
        [
          [1, RequestAnswer.address, 0, 0],
          [2, RequestAnswer.noData, 0, 0],
          [3, RequestAnswer.records, 1, 3]
        ]
      )
    }))

  it.live("records beyond 16 KiB become a server failure", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      resolve(peer, 1, "example.com", 16)
      yield* (yield* nextResolve(channel)).answer({ _tag: "Records", records: Buffer.alloc(16_385), count: 9 })
      assert.strictEqual((yield* peer.received(HostMessage.Answer))[0]!.answer, RequestAnswer.serverFailure)
    }))

  it.live("forEachNetworkRequest takes requests in order, and waits between them where it is told to", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const taken: Array<string> = []
      const mayGoOn = yield* Deferred.make<void>()
      const waits = yield* Deferred.make<void>()
      const all = yield* Effect.forkChild(channel.forEachNetworkRequest(({ name }) => {
        taken.push(name!)
        if (name !== "second.test") return undefined
        return Effect.andThen(Deferred.succeed(waits, undefined), Deferred.await(mayGoOn))
      }))
      for (const [at, name] of ["first.test", "second.test", "third.test"].entries()) {
        ask(peer, { request: at + 1, name })
      }
      yield* Deferred.await(waits)
      assert.deepStrictEqual(taken, ["first.test", "second.test"])
      yield* Deferred.succeed(mayGoOn, undefined)
      yield* Effect.repeat(Effect.void, { until: () => taken.length === 3, schedule: Schedule.spaced("1 millis") })
      assert.strictEqual(taken[2], "third.test")
      peer.end()
      yield* Fiber.join(all)
    }))

  it.live("the requests end with the channel", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      const all = yield* Effect.forkChild(Stream.runCollect(networkRequests(channel)))
      ask(peer)
      peer.end()
      assert.isAtMost((yield* Fiber.join(all)).length, 1)
    }))
})

const violations: ReadonlyArray<readonly [name: string, says: (peer: Peer) => void, told: RegExp]> = [
  ["a request of unknown kind", (peer) => ask(peer, { what: 4 }), /request of unknown kind 4/],
  ["a request twice", (peer) => [ask(peer), ask(peer)], /request 1 made twice/],
  ["a request for port 0", (peer) => ask(peer, { port: 0 }), /port 0/],
  ["an address of 5 bytes", (peer) => ask(peer, { address: Buffer.alloc(5) }), /address of 5 bytes/],
  ["a look-up with an address", (peer) => ask(peer, { what: 2 }), /look-up with an address/],
  ["a look-up of nothing", (peer) => resolve(peer, 1, ""), /malformed name/],
  ["a name with a newline", (peer) => ask(peer, { name: "a\nb" }), /malformed name: "a\\nb"/],
  ["a name in upper case", (peer) => ask(peer, { name: "Example.com" }), /malformed name/],
  ["a name of 254 characters", (peer) => ask(peer, { name: "a.".repeat(126) + "ab" }), /malformed name/],
  ["a name with a label of 64", (peer) => ask(peer, { name: "a".repeat(64) }), /malformed name/],
  ["a name with an empty label", (peer) => ask(peer, { name: "a..b" }), /malformed name/],
  [
    "more open connect requests than an agent has",
    (peer) => Array.from({ length: 1_025 }, (_, request) => ask(peer, { request })),
    /more than 1024 open connect requests/
  ],
  [
    "more open look-ups than an agent has",
    (peer) => Array.from({ length: 257 }, (_, request) => resolve(peer, request, "a.b")),
    /more than 256 open resolve requests/
  ]
]

describe("a guest that breaks the protocol of network requests", () => {
  for (const [name, says, told] of violations) {
    it.live(`a guest loses its channel for ${name}`, () =>
      Effect.gen(function*() {
        const { channel, peer } = yield* connected
        says(peer)
        assert.match((yield* Effect.flip(channel.failed)).detail, told)
      }))
  }

  it.live("requests that are withdrawn at once leave nothing behind", () =>
    Effect.gen(function*() {
      const { channel, peer } = yield* connected
      for (let request = 1; request <= 5_000; request++) {
        ask(peer, { request })
        peer.send(AgentMessage.Withdraw, 0, { request })
      }
      ask(peer, { request: 9_999, name: "last" })
      assert.strictEqual((yield* nextConnect(channel)).name, "last")
    }))
})

describe("literals of addresses", () => {
  it("a literal has the canonical form", () => {
    const literal = (hex: string) => literalOf(Buffer.from(hex, "hex"))
    assert.strictEqual(literal("01020304"), "1.2.3.4")
    assert.strictEqual(literal("00000000000000000000000000000001"), "::1")
    assert.strictEqual(literal("00000000000000000000000000000000"), "::")
    assert.strictEqual(literal("20010db8000000000001000000000001"), "2001:db8::1:0:0:1")
    assert.strictEqual(literal("20010db8000000010001000100010001"), "2001:db8:0:1:1:1:1:1")
    assert.strictEqual(literal("fd7079726f0000000000000000000000"), "fd70:7972:6f00::")
  })
})
