import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as net from "node:net"
import * as path from "node:path"
import type { PyroError } from "../../../src/contract/errors/errors.ts"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import { BulkDecoder, encodeBulk } from "../../../src/contract/wire/bulk-frames.ts"
import { layerRemote } from "../../../src/sdk/client.ts"
import { socketTo } from "../../../src/sdk/connection/connection.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"

interface Asked {
  readonly _tag: string
  readonly id: number
  readonly tag: string
}

const frame = (message: unknown) => encodeBulk({ message: Buffer.from(JSON.stringify(message)), pieces: [] })
const exit = (requestId: number, value: unknown) => frame({ _tag: "Exit", requestId, exit: { _tag: "Success", value } })
const fail = (requestId: number, error: unknown) =>
  frame({ _tag: "Exit", requestId, exit: { _tag: "Failure", cause: [{ _tag: "Fail", error }] } })

/** What a client gets to know whose daemon answers by `answer`. */
const failureWith = (answer: (asked: Asked, socket: net.Socket) => Uint8Array | undefined) =>
  Effect.scoped(Effect.gen(function*() {
    const { folder } = yield* Effect.acquireRelease(
      Effect.sync(() => temporaryFolder("pyro-hostile-daemon-")),
      ({ remove }) => Effect.sync(remove)
    )
    const at = path.join(folder, "socket")
    yield* Effect.acquireRelease(
      Effect.callback<net.Server>((resume) => {
        const server = net.createServer((socket) => {
          socket.on("error", () => {})
          const decoder = new BulkDecoder(1_000_000, {
            library: () => socket.destroy(),
            bulk: ({ message }) => {
              const bytes = answer(JSON.parse(Buffer.from(message).toString()) as Asked, socket)
              if (bytes !== undefined) socket.write(bytes)
            }
          })
          socket.on("data", (bytes) => decoder.push(bytes))
        }).listen(at, () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    )
    const refused: Array<string> = []
    const layer = layerRemote(socketTo(at), {
      helloMs: 300,
      pingMs: 100,
      patienceMs: 100,
      refuse: (version) => {
        refused.push(version)
        return undefined
      }
    })
    const asking = Effect.flatMap(
      Layer.build(layer),
      (context) => Effect.provide(Effect.flatMap(Pyro, ({ saved }) => saved.list({})), context)
    )
    const failure: PyroError = yield* Effect.flip(asking)
    return { failure, refused }
  }))

const pong = frame({ _tag: "Pong" })
const who = (version: string) => ({ daemonId: "x", version })

describe("a daemon of another machine that breaks the rules", () => {
  it.live("is left if it answers pings and never says who it is", () =>
    Effect.gen(function*() {
      const { failure } = yield* failureWith(({ _tag }) => _tag === "Ping" ? pong : undefined)
      assert.strictEqual(failure._tag, "DaemonUnavailable")
      assert.match(failure.message, /has not said its version for 0\.3 s/)
    }))

  it.live("may refuse a client with an error that the client does not know", () =>
    Effect.gen(function*() {
      const { failure } = yield* failureWith(({ _tag, id }) =>
        _tag === "Request" ? fail(id, { _tag: "Moon", code: "moon", fact: "no clients today" }) : pong
      )
      assert.deepInclude(failure, { _tag: "UnknownFailure", failedAs: "moon", detail: "no clients today" })
    }))

  it.live("may say a wrong answer, which is unreadable", () =>
    Effect.gen(function*() {
      for (const wrong of [null, 1, {}, { daemonId: 5, version: "0.1.0" }, [who("0.1.0")]]) {
        const { failure } = yield* failureWith(({ _tag, id }) => _tag === "Request" ? exit(id, wrong) : pong)
        assert.strictEqual(failure._tag, "MessageUnreadable", JSON.stringify(wrong))
      }
    }))

  it.live("may say a version without end, of which the beginning is shown", () =>
    Effect.gen(function*() {
      const { refused } = yield* failureWith(({ _tag, id, tag }) =>
        _tag !== "Request"
          ? pong
          : tag === "hello"
          ? exit(id, who(`0.1.0 ${"9".repeat(1_000_000)}`))
          : fail(id, { code: "x", fact: "y" })
      )
      assert.deepStrictEqual(refused.map((version) => version.length), [100])
    }))

  it.live("is left at once after noise, also if it reads nothing more", () =>
    Effect.gen(function*() {
      const { failure } = yield* failureWith((_, socket) => {
        socket.pause()
        return Buffer.alloc(100)
      })
      assert.strictEqual(failure._tag, "MessageUnreadable")
    }))
})
