import { assert, describe, it } from "@effect/vitest"
import { type Cause, Effect, Fiber, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { Duplex } from "node:stream"
import ssh2 from "ssh2"
import { makeKey } from "../../../../../src/lib/ssh/keys.ts"
import { LOGIN_MS, serveSsh } from "../../../../../src/lib/ssh/serve.ts"
import { localGuest } from "./local-guest.ts"

/** A served connection without a client. */
const served = Effect.gen(function*() {
  const input = yield* Queue.unbounded<Uint8Array, Cause.Done>()
  const [hostKey, clientKey] = [makeKey("host"), makeKey("client")]
  const { pull, reason } = yield* serveSsh({
    hostKey: hostKey.privateText,
    clientKey: clientKey.publicLine,
    guest: localGuest(),
    input: Stream.fromQueue(input),
    opened: () => Effect.void
  })
  /** Reads to the end of the connection. */
  const ended = Effect.ignore(Effect.forever(pull()))
  return { clientKey, hostKey, input, pull, reason, ended }
})

const IDENT = Buffer.from("SSH-2.0-client\r\n")
const packet = (length: number, rest: ReadonlyArray<number> = []) => {
  const bytes = Buffer.alloc(4 + rest.length)
  bytes.writeUInt32BE(length)
  bytes.set(rest, 4)
  return bytes
}
/** A whole unencrypted packet. */
const whole = (payload: ReadonlyArray<number>) => {
  const padding = 8 - (5 + payload.length) % 8 + 8
  return packet(1 + payload.length + padding, [padding, ...payload, ...Array.from({ length: padding }, () => 0)])
}

/** The algorithms of a client with one of each kind. */
const exchange = whole([
  20,
  ...Array<number>(16).fill(0),
  ...[
    "curve25519-sha256",
    "ssh-ed25519",
    "aes128-ctr",
    "aes128-ctr",
    "hmac-sha2-256",
    "hmac-sha2-256",
    "none",
    "none",
    "",
    ""
  ]
    .flatMap((name) => [0, 0, 0, name.length, ...Buffer.from(name)]),
  0,
  0,
  0,
  0,
  0
])

const NO_CLIENT = /^the first bytes are not those of an SSH client$/
const NO_SSH = /^the client's bytes are no SSH: /
const DAMAGED = /^the client's bytes are no SSH: a message is damaged, or comes at the wrong time$/
const TOO_LONG = /^a packet of the client is longer than 256 KiB, or damaged\./
const kinds: ReadonlyArray<readonly [what: string, bytes: Uint8Array, reason: RegExp]> = [
  ["a request of HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n"), NO_CLIENT],
  ["SSH of version 1", Buffer.from("SSH-1.5-old\r\n"), NO_CLIENT],
  ["an endless first line", Buffer.from("A".repeat(10_000)), NO_CLIENT],
  ["bytes of 0xff", Buffer.alloc(4_000, 0xff), NO_CLIENT],
  ["bytes of 0xff behind the first line", Buffer.concat([IDENT, Buffer.alloc(4_000, 0xff)]), TOO_LONG],
  ["a packet of no length", Buffer.concat([IDENT, packet(0)]), TOO_LONG],
  ["a packet of 2 GiB", Buffer.concat([IDENT, packet(0x7fff_fff4)]), TOO_LONG],
  ["a packet of an odd length", Buffer.concat([IDENT, packet(13)]), TOO_LONG],
  ["a login before the keys", Buffer.concat([IDENT, whole([50, 0, 0, 0, 0])]), NO_SSH],
  ["a message of no number before the keys", Buffer.concat([IDENT, whole([200])]), NO_SSH],
  ["the end of the exchange of keys before its begin", Buffer.concat([IDENT, whole([21])]), DAMAGED],
  [
    "a key that no curve has",
    Buffer.concat([IDENT, exchange, whole([30, 0, 0, 0, 32, ...Array<number>(32).fill(0)])]),
    DAMAGED
  ],
  ["a key without bytes", Buffer.concat([IDENT, exchange, whole([30, 0, 0, 0, 1, 1])]), DAMAGED],
  ["a broken exchange of keys", Buffer.concat([IDENT, whole([20, 1, 2, 3])]), NO_SSH]
]

describe("wrong bytes of an SSH client", () => {
  it.live.each(kinds)("%s end the connection with a reason", ([_, bytes, expected]) =>
    Effect.gen(function*() {
      const { ended, input, reason } = yield* served
      yield* Queue.offer(input, bytes)
      yield* ended
      assert.match(reason() ?? "", expected)
    }))

  it.live.each(
    [
      ["nothing", Buffer.alloc(0)],
      ["the first line", IDENT],
      ["a part of a line", Buffer.from("SSH-2")],
      ["a part of a packet", Buffer.concat([IDENT, packet(12, [10, 20])])],
      ["zeros", Buffer.alloc(100)]
    ] as const
  )("the end of the input behind %s ends the connection", ([_, bytes]) =>
    Effect.gen(function*() {
      const { ended, input } = yield* served
      yield* Queue.offer(input, bytes)
      yield* Queue.end(input)
      yield* ended
    }))

  it.effect("a client that does not log in has a deadline", () =>
    Effect.gen(function*() {
      const { ended, input, reason } = yield* served
      yield* Queue.offer(input, IDENT)
      yield* TestClock.adjust(LOGIN_MS)
      yield* ended
      assert.strictEqual(reason(), "no client has logged in within 120 s")
    }))

  it.live.each(
    [
      ["bytes of 0xff", Buffer.alloc(4_000, 0xff), TOO_LONG],
      ["zeros", Buffer.alloc(4_000), /^(a packet of the client|the client's bytes are no SSH)/],
      ["a request of HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200)), TOO_LONG]
    ] as const
  )("%s behind a login end the connection with a reason", ([_, bytes, expected]) =>
    Effect.gen(function*() {
      const { clientKey, input, pull, reason } = yield* served
      const sock = new Duplex({
        read: () => {},
        write: (written: Uint8Array, _encoding, done) => {
          Queue.offerUnsafe(input, new Uint8Array(written))
          done()
        }
      })
      const passing = yield* pull().pipe(
        Effect.tap((got) => Effect.sync(() => sock.push(got))),
        Effect.forever,
        Effect.ignore,
        Effect.forkScoped
      )
      const client = new ssh2.Client()
      yield* Effect.callback<void, Error>((resume) => {
        client.on("ready", () => resume(Effect.void))
        client.on("error", (error) => resume(Effect.fail(error)))
        client.connect({ sock, username: "root", privateKey: clientKey.privateText })
      })
      assert.isUndefined(reason())
      yield* Queue.offer(input, bytes)
      yield* Fiber.await(passing)
      assert.match(reason() ?? "", expected)
      client.destroy()
    }))
})

it("the build gives ssh2 OpenSSH's limit of packets, and fails for a source without the known limit", async () => {
  const module = path.resolve(import.meta.dirname, "../../../../../scripts/build/ssh-packets.mjs")
  const { withLongPackets } = await import(module) as { readonly withLongPackets: (source: string) => string }
  const file = createRequire(import.meta.url).resolve("ssh2/lib/protocol/crypto.js")
  const source = withLongPackets(readFileSync(file, "utf8"))
  assert.include(source, "MAX_PACKET_SIZE = 262144;")
  assert.notInclude(source, "35000")
  assert.throws(() => withLongPackets(source), /no longer has/)
})
