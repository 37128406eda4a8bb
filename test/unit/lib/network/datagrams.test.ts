import { assert, describe, it, vi } from "@effect/vitest"
import { Effect, Fiber, Queue, Stream } from "effect"
import * as dgram from "node:dgram"
import { readFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { framed, Unframer } from "../../../../src/lib/network/daemon/datagrams/frames.ts"
import { openDatagrams } from "../../../../src/lib/network/daemon/dial/open-datagrams.ts"
import { relayDatagrams, type RelayOptions } from "../../../../src/lib/network/datagrams.ts"
import { parseIpRules } from "../../../../src/lib/network/model/policy.ts"
import { Signal } from "../../../../src/system/waits/signal.ts"
import { lapse } from "../../../support/until.ts"

/** A server on this machine that answers each datagram with itself. */
const echoServer = Effect.acquireRelease(
  Effect.callback<dgram.Socket>((resume) => {
    const socket = dgram.createSocket("udp4")
    socket.on("message", (message, { address, port }) => socket.send(message, port, address))
    socket.bind(0, "127.0.0.1", () => resume(Effect.succeed(socket)))
  }),
  (socket) => Effect.sync(() => socket.close())
)

const portOf = (socket: dgram.Socket) => (socket.address() as AddressInfo).port

const loopbackRules = (port: number) => ({
  allowIps: Effect.runSync(Effect.fromResult(parseIpRules(`127.0.0.1:${port}`)))
})

const socketTo = (port: number) => openDatagrams(["127.0.0.1"], { name: undefined, port, rules: loopbackRules(port) })

/** A guest whose program is the test, and a relay between the guest and a server. */
const relaying = (port: number, options: Partial<RelayOptions<Error>> = {}) =>
  Effect.gen(function*() {
    const { socket } = yield* socketTo(port)
    const sent = yield* Queue.unbounded<Uint8Array>()
    const got = yield* Queue.unbounded<string>()
    const unframer = new Unframer()
    const counts = { sentBytes: 0, receivedBytes: 0 }
    const relay = yield* Effect.forkChild(
      relayDatagrams<Error>({
        socket,
        counts,
        guest: {
          forEachReceived: (f, take) =>
            Stream.runForEach(Stream.fromQueue(sent), (bytes) => take?.(bytes) === true ? Effect.void : f(bytes)),
          write: (bytes) =>
            Effect.sync(() => {
              for (const one of unframer.add(bytes)) Queue.offerUnsafe(got, one.toString())
            })
        },
        ...options
      }),
      { startImmediately: true }
    )
    return {
      counts,
      relay,
      got: Queue.take(got),
      write: (bytes: Uint8Array) => Queue.offer(sent, bytes),
      send: (text: string | Buffer) => Queue.offer(sent, framed(Buffer.from(text as string))!)
    }
  })

describe("the relay of datagrams", () => {
  it.live("datagrams go both ways, however the stream cuts them, and are counted", () =>
    Effect.gen(function*() {
      const { counts, got, send, write } = yield* relaying(portOf(yield* echoServer))
      yield* send("one")
      assert.strictEqual(yield* got, "one")
      for (const byte of framed(Buffer.from("two"))!) yield* write(Buffer.from([byte]))
      assert.strictEqual(yield* got, "two")
      yield* write(Buffer.concat([framed(Buffer.from(""))!, framed(Buffer.from("three"))!]))
      assert.deepStrictEqual([yield* got, yield* got], ["", "three"])
      assert.deepStrictEqual(counts, { sentBytes: 11, receivedBytes: 11 })
    }))

  it.live("a flow without a datagram ends, and one with datagrams does not", () =>
    Effect.gen(function*() {
      const { got, relay, send } = yield* relaying(portOf(yield* echoServer), { idleMs: 200 })
      for (let i = 0; i < 8; i++) {
        yield* send("x")
        yield* got
        yield* lapse(100)
      }
      assert.isUndefined(relay.pollUnsafe())
      assert.deepStrictEqual(yield* Fiber.join(relay), { _tag: "Idle" })
    }))

  it.live("a port without a server, and a stop, end the flow with the reason", () =>
    Effect.gen(function*() {
      const closed = yield* Effect.scoped(Effect.map(echoServer, portOf))
      const refused = yield* relaying(closed)
      yield* refused.send("x")
      const end = yield* Fiber.join(refused.relay)
      assert.strictEqual(end._tag, "Failed")
      const stop = new Signal<boolean>()
      const { relay } = yield* relaying(portOf(yield* echoServer), { stop })
      stop.send(true)
      assert.deepStrictEqual(yield* Fiber.join(relay), { _tag: "Stopped" })
    }))

  it.live("a QUIC handshake for another name is denied and not sent", () =>
    Effect.gen(function*() {
      const { other, version1 } = JSON.parse(
        readFileSync(new URL("../../../fixtures/quic/first-datagrams.json", import.meta.url), "utf8")
      ) as Record<string, ReadonlyArray<string>>
      const { counts, relay, send } = yield* relaying(portOf(yield* echoServer), { expectedName: "example.com" })
      yield* send(Buffer.from(version1![0]!, "base64"))
      yield* send(Buffer.from(other![0]!, "base64"))
      const end = yield* Fiber.join(relay)
      assert.strictEqual(end._tag, "Denied")
      assert.strictEqual(counts.sentBytes, 1200)
    }))

  it.live("the parts of a QUIC handshake arrive in order", () =>
    Effect.gen(function*() {
      const { long } = JSON.parse(
        readFileSync(new URL("../../../fixtures/quic/first-datagrams.json", import.meta.url), "utf8")
      ) as Record<string, ReadonlyArray<string>>
      const parts = long!.map((text) => Buffer.from(text, "base64"))
      const { counts, got, send } = yield* relaying(portOf(yield* echoServer), { expectedName: "example.com" })
      for (const part of parts) yield* send(part)
      for (const part of parts) assert.strictEqual(yield* got, part.toString())
      assert.strictEqual(counts.sentBytes, Buffer.concat(parts).length)
    }))

  it.live("small datagrams that wait for a guest fill no memory", () =>
    Effect.gen(function*() {
      const { socket } = yield* socketTo(portOf(yield* echoServer))
      const counts = { sentBytes: 0, receivedBytes: 0 }
      yield* Effect.forkChild(
        relayDatagrams<Error>({
          socket,
          counts,
          guest: { forEachReceived: () => Effect.never, write: () => Effect.never }
        }),
        { startImmediately: true }
      )
      for (let i = 0; i < 10_000; i++) socket.emit("message", Buffer.from([1]), socket.remoteAddress())
      assert.isBelow(counts.receivedBytes, 2_000)
    }))

  it("any cut of a stream gives the same datagrams", () => {
    const sizes = [0, 1, 65_535, 0, 300]
    const bytes = Buffer.concat(sizes.map((size) => framed(Buffer.alloc(size, size % 251))!))
    for (const step of [1, 2, 3, 1_000, 65_536, bytes.length]) {
      const unframer = new Unframer()
      const found: Array<Buffer> = []
      for (let at = 0; at < bytes.length; at += step) found.push(...unframer.add(bytes.subarray(at, at + step)))
      assert.deepStrictEqual(found.map((one) => one.length), sizes)
      assert.isTrue(found.every((one) => one.every((byte) => byte === one.length % 251)))
    }
  })

  it.live("datagrams beyond the pace are lost, and not counted", () =>
    Effect.gen(function*() {
      let left = 2
      const pace = { mayPass: () => left-- > 0, mayRead: () => true }
      const { counts, got, send } = yield* relaying(portOf(yield* echoServer), { pace })
      for (const text of ["a", "b", "c"]) yield* send(text)
      assert.deepStrictEqual([yield* got, yield* got], ["a", "b"])
      assert.deepStrictEqual(counts, { sentBytes: 2, receivedBytes: 2 })
    }))

  it.live("an address whose family this host cannot open is skipped, and without another the flow is refused", () =>
    Effect.gen(function*() {
      const { bind } = dgram.Socket.prototype
      let binds = 0
      const server = yield* echoServer
      const port = portOf(server)
      // As Node does where the kernel gives no socket.
      const broken = vi.spyOn(dgram.Socket.prototype, "bind").mockImplementation(
        function(this: dgram.Socket, ...given): dgram.Socket {
          if (++binds > 1) return Reflect.apply(bind, this, given)
          queueMicrotask(() => this.emit("error", Object.assign(new Error("bind"), { code: "EAFNOSUPPORT" })))
          return this
        }
      )
      yield* Effect.addFinalizer(() => Effect.sync(() => broken.mockRestore()))
      const rules = {
        allowIps: ["::1", "127.0.0.1"].flatMap((one) => Effect.runSync(Effect.fromResult(parseIpRules(one))))
      }
      const opened = yield* openDatagrams(["::1", "127.0.0.1"], { name: "example.com", port, rules })
      assert.strictEqual(opened.address, "127.0.0.1")
      binds = 0
      const refused = yield* Effect.flip(openDatagrams(["::1"], { name: "example.com", port, rules }))
      assert.deepStrictEqual([refused.failure, refused.detail], [
        "unreachable",
        "this host cannot reach ::1: EAFNOSUPPORT"
      ])
    }))

  it.live("an address that no rule allows gets no socket, and the reason names the option", () =>
    Effect.gen(function*() {
      const denied = yield* Effect.flip(
        openDatagrams(["127.0.0.1", "10.0.0.1"], { name: "example.com", port: 53, rules: { allowIps: [] } })
      )
      assert.strictEqual(denied.failure, "denied")
      assert.include(
        denied.detail,
        "example.com resolves to an address that is denied: 127.0.0.1 is a loopback address"
      )
    }))
})
