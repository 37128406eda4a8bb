import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { createServer, type Server, type Socket } from "node:net"
import { Agent, withAgent, withGuestBuild } from "./agent.ts"
import { textOf } from "./network.ts"

/** A server on this machine, which is the guest of a local agent. */
const listening = (onConnection: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<Server>((resolve) => {
        const server = createServer({ allowHalfOpen: true }, (socket) => {
          socket.on("error", () => {})
          onConnection(socket)
        })
        server.listen(0, "127.0.0.1", () => resolve(server))
      })
    ),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => (server.address() as { readonly port: number }).port))

for (const [build, suite] of [["the sanitized build", withAgent], ["the guest's build", withGuestBuild]] as const) {
  suite(`connections to a port, in ${build}`, (it) => {
    for (const size of [0, 5, 1_000, 40_000, 1_000_000]) {
      it.effect(`the end of ${size} bytes arrives while the other direction is open`, () =>
        Effect.gen(function*() {
          const channel = yield* Agent.connect()
          const port = yield* listening((socket) => socket.end(Buffer.alloc(size)))
          for (let round = 0; round < 20; round++) {
            const text = yield* Effect.scoped(Effect.flatMap(channel.connectPort({ port }), textOf))
            assert.strictEqual(text.length, size)
          }
        }))
    }

    it.effect("the start of a connection waits for no other frame", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const port = yield* listening(() => {})
        const times: Array<number> = []
        for (let round = 0; round < 40; round++) {
          const since = performance.now()
          yield* Effect.scoped(Effect.map(channel.connectPort({ port }), () => times.push(performance.now() - since)))
        }
        // A new command's first frame waits 8 ms for the next one.
        assert.isBelow(Math.min(...times), 6)
      }))

    it.effect("a reset by the server is no end", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const port = yield* listening((socket) => socket.once("data", () => socket.resetAndDestroy()))
        const socket = yield* channel.connectPort({ port })
        yield* socket.write(Buffer.from("go"))
        assert.deepInclude(yield* Effect.flip(Stream.runDrain(socket.received)), { errno: "ECONNRESET" })
      }))

    it.effect("the end of its Scope resets an open connection, and an ended one ends by FIN", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const ends: Array<string> = []
        const port = yield* listening((socket) => {
          socket.on("error", (error: NodeJS.ErrnoException) => ends.push(String(error.code)))
          socket.on("end", () => {
            ends.push("FIN")
            socket.end()
          }).resume()
        })
        yield* Effect.scoped(channel.connectPort({ port }))
        yield* Effect.scoped(
          Effect.flatMap(
            channel.connectPort({ port }),
            (socket) => Effect.andThen(socket.end, Effect.andThen(Stream.runDrain(socket.received), socket.closed))
          )
        )
        assert.deepStrictEqual(ends, ["ECONNRESET", "FIN"])
      }))
  })
}
