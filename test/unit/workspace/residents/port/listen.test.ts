import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Scope } from "effect"
import { connect, type Socket } from "node:net"
import { reset } from "../../../../../src/lib/network/model/reset.ts"
import { listen } from "../../../../../src/workspace/residents/port/listener.ts"

const dial = (port: number) =>
  Effect.callback<Socket, string>((resume) => {
    const socket = connect({ host: "127.0.0.1", port }, () => resume(Effect.succeed(socket)))
    socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(error.code ?? "")))
  })

const closed = (socket: Socket) =>
  Effect.callback<void>((resume) => {
    if (socket.destroyed) return resume(Effect.void)
    socket.resume().once("close", () => resume(Effect.void))
  })

const waiting = (client: Socket) => Effect.ensuring(Effect.never, Effect.sync(() => reset(client)))

describe("a listener of the host", () => {
  it.live("the end of its Scope ends the listener and every client, also for an uninterruptible owner", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const port = yield* listen({ port: 0, maxClients: 8, serve: waiting }).pipe(
        Scope.provide(scope),
        Effect.uninterruptible
      )
      const client = yield* dial(port)
      yield* Effect.uninterruptible(Scope.close(scope, Exit.void))
      yield* closed(client)
      assert.strictEqual(yield* Effect.flip(dial(port)), "ECONNREFUSED")
    }))

  it.live("a port in use fails with its code, and leaves nothing", () =>
    Effect.gen(function*() {
      const options = { maxClients: 8, serve: waiting }
      const port = yield* listen({ port: 0, ...options })
      assert.strictEqual((yield* Effect.flip(Effect.scoped(listen({ port, ...options })))).code, "EADDRINUSE")
      ;(yield* dial(port)).destroy()
    }))

  it.live("clients beyond the limit are closed at once, and the others stay", () =>
    Effect.gen(function*() {
      const served = yield* Deferred.make<void>()
      const port = yield* listen({
        port: 0,
        maxClients: 1,
        serve: (client) => Effect.andThen(Deferred.succeed(served, undefined), waiting(client))
      })
      const first = yield* dial(port)
      yield* Deferred.await(served)
      yield* closed(yield* dial(port))
      assert.isFalse(first.destroyed)
      first.destroy()
    }))
})
