import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { SocketServer } from "effect/socket/SocketServer"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { makeRequestTracker } from "../../../src/daemon/server/request-tracker.ts"
import { socketFolder } from "../../support/daemon/served-pyro.ts"

/** Nothing of this process runs meanwhile, as on a host that has no processor for it. */
const standStill = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

describe("a daemon that leaves", () => {
  it.live("clients that connected before the end of the socket are served, however late the daemon gets a processor", () =>
    Effect.gen(function*() {
      const requests = yield* makeRequestTracker
      const socket = path.join(yield* socketFolder, "socket")
      const context = yield* Layer.build(requests.listen(socket))
      const server = yield* Effect.provide(SocketServer, context)
      let served = 0
      yield* Effect.forkScoped(server.run(() =>
        Effect.sync(() => {
          served++
        })
      ))
      // The next phases of the event loop are the timers, and then the connections.
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      const clients = Array.from({ length: 5 }, () => net.connect(socket).on("error", () => {}))
      fs.unlinkSync(socket)
      const leaving = Effect.runFork(requests.awaitClients)
      standStill(200)
      yield* Fiber.join(leaving)
      assert.strictEqual(served, clients.length)
      for (const client of clients) client.destroy()
    }))
})
