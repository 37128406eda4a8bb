import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as net from "node:net"
import { originOf } from "../../../src/serve/door/pending.ts"
import { service } from "../../support/daemon/wire-service.ts"
import { openedDoor, rawConnection, upgrade } from "../../support/serve/opened-door.ts"
import { until } from "../../support/until.ts"

const LIMITS = { perAddress: 8, inAll: 16, timeMs: 400, perToken: 3, lines: 16, messageBytes: 65_536 }

/** A frame of a client, masked with zeros. */
const frame = (opcode: number, length: number, payload: Buffer) => {
  const head = length < 126
    ? Buffer.from([0x80 | opcode, 0x80 | length])
    : Buffer.from([
      0x80 | opcode,
      0x80 | 127,
      0,
      0,
      0,
      0,
      ...new Uint8Array(new Uint32Array([length]).buffer).reverse()
    ])
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

/** A line by hand, after the door's answer. */
const lineByHand = (port: number, token: string) =>
  Effect.gen(function*() {
    const raw = yield* rawConnection(port)
    raw.socket.write(upgrade({ Authorization: `Bearer ${token}` }))
    yield* until(() => raw.said().includes("\r\n\r\n") || raw.hasEnded())
    return raw
  })

describe("a door under attack", () => {
  it.live("ends connections that show no token in time, whatever they send meanwhile", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service, { limits: LIMITS })
      const silent = yield* rawConnection(door.port)
      const slow = yield* rawConnection(door.port)
      const head = upgrade({ Authorization: "Bearer pyro_" })
      let at = 0
      const drip = setInterval(() => void slow.socket.write(head[at++ % head.length]!), 20)
      const beganMs = performance.now()
      yield* until(() => silent.hasEnded() && slow.hasEnded())
      clearInterval(drip)
      assert.isBelow(performance.now() - beganMs, 5_000)
      yield* until(() => door.door.counts().pending === 0)
    }))

  it.live("one address cannot take the places of others, and old silent connections make room", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service, { limits: { ...LIMITS, timeMs: 60_000 } })
      const token = yield* door.token("ci")
      const first = yield* Effect.forEach(Array.from({ length: 12 }), () => rawConnection(door.port, "127.0.0.2"))
      yield* until(() => first.filter(({ hasEnded }) => hasEnded()).length === 4)
      const second = yield* Effect.forEach(Array.from({ length: 8 }), () => rawConnection(door.port, "127.0.0.3"))
      const third = yield* Effect.forEach(Array.from({ length: 4 }), () => rawConnection(door.port, "127.0.0.4"))
      // The oldest of the first address have gone for the third one.
      yield* until(() => first.filter(({ hasEnded }) => hasEnded()).length === 8)
      assert.strictEqual([...second, ...third].filter(({ hasEnded }) => hasEnded()).length, 0)
      assert.deepStrictEqual(door.door.counts().dropped, { perAddress: 4, inAll: 4, time: 0 })
      const client = yield* door.client(token)
      assert.deepStrictEqual(yield* client.workspace.list({ labels: {} }), { workspaces: [] })
    }))

  it.live("2,000 half-open connections leave the door to those with a token", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service, {
        limits: { ...LIMITS, perAddress: 1_000_000, inAll: 200, timeMs: 60_000 }
      })
      const token = yield* door.token("ci")
      const before = process.memoryUsage().rss
      let ended = 0
      const sockets = Array.from({ length: 2_000 }, () => {
        const socket = net.connect({ port: door.port, host: "127.0.0.1" })
        socket.on("error", () => {})
        socket.on("close", () => void ended++)
        socket.write("GET / HTTP/1.1\r\n")
        return socket
      })
      yield* until(() => ended === 1_800)
      const client = yield* door.client(token)
      assert.deepStrictEqual(yield* client.workspace.list({ labels: {} }), { workspaces: [] })
      assert.isBelow(process.memoryUsage().rss - before, 300 * 1024 * 1024)
      for (const socket of sockets) socket.destroy()
    }))

  it.live("a head that is too large, another path, a page and another protocol get no line", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service, { limits: LIMITS })
      const token = yield* door.token("ci")
      yield* Effect.retry(door.line(token), { times: 20 })
      const answer = (text: string) =>
        Effect.scoped(Effect.gen(function*() {
          const raw = yield* rawConnection(door.port)
          raw.socket.write(text)
          yield* until(raw.hasEnded)
          return raw.said().slice(9, 12)
        }))
      const authorization = { Authorization: `Bearer ${token}` }
      assert.strictEqual(yield* answer(upgrade({ ...authorization, "X-More": "x".repeat(20_000) })), "")
      assert.strictEqual(yield* answer(upgrade(authorization, "/v1/../v1/line")), "404")
      assert.strictEqual(yield* answer(upgrade({ ...authorization, Origin: "https://evil.example" })), "403")
      assert.strictEqual(yield* answer(upgrade({ ...authorization, "Sec-WebSocket-Protocol": "chat" })), "400")
      assert.strictEqual(yield* answer("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n"), "405")
      assert.strictEqual(yield* answer("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), "200")
      assert.strictEqual(yield* answer("\u0000\u0001 nothing of HTTP\r\n\r\n"), "")
    }))

  it.live("an oversized frame ends its own connection before its bytes are held", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service, { limits: LIMITS })
      const token = yield* door.token("ci")
      const other = yield* Effect.retry(door.client(token), { times: 20 })
      const raw = yield* lineByHand(door.port, token)
      assert.match(raw.said(), /^HTTP\/1\.1 101 /)
      raw.socket.write(frame(2, 1_073_741_824, Buffer.alloc(64)))
      yield* until(raw.hasEnded)
      assert.deepStrictEqual(yield* other.workspace.list({ labels: {} }), { workspaces: [] })
    }))

  it.live("text, and bytes that are no message, reach no operation and end nothing else", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service, { limits: LIMITS })
      const token = yield* door.token("ci")
      const other = yield* Effect.retry(door.client(token), { times: 20 })
      const text = yield* lineByHand(door.port, token)
      text.socket.write(frame(1, 4, Buffer.from("text")))
      yield* until(text.hasEnded)
      const noise = yield* lineByHand(door.port, token)
      noise.socket.write(frame(2, 100, Buffer.alloc(100, 0xff)))
      yield* until(() => door.log.some((line) => line.includes("of a client")))
      assert.deepStrictEqual(yield* other.workspace.list({ labels: {} }), { workspaces: [] })
    }))

  it.live("one token has a bounded number of connections", () =>
    Effect.gen(function*() {
      const door = yield* openedDoor(service, { limits: LIMITS })
      const [token, other] = [yield* door.token("ci"), yield* door.token("other")]
      yield* Effect.retry(door.line(other), { times: 20 })
      for (let count = 0; count < LIMITS.perToken; count++) yield* door.line(token)
      const refused = (yield* Effect.flip(Effect.scoped(door.line(token)))) as { readonly detail?: string }
      assert.include(refused.detail, "429")
      yield* door.line(other)
    }))

  it("counts connections by the network of one customer", () => {
    assert.deepStrictEqual(
      ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002::9", "::1", "fe80::1%eth0"].map(
        originOf
      ),
      ["10.1.2.3", "10.1.2.3", "2001:db8:1:2::/64", "2001:db8:1:2::/64", "0:0:0:0::/64", "fe80:0:0:0::/64"]
    )
  })
})
