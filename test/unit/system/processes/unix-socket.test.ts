import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as net from "node:net"
import * as path from "node:path"
import { connectUnixSoon } from "../../../../src/system/processes/unix-socket.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

const watchers = () => process.getActiveResourcesInfo().filter((name) => name.startsWith("FSEvent")).length

describe("the wait for a socket of another process", () => {
  it.live("the connection comes with the socket, and nothing watches the folder afterwards", () =>
    Effect.gen(function*() {
      const file = path.join(yield* temporaryDirectory, "socket")
      const before = watchers()
      const connecting = yield* Effect.forkScoped(connectUnixSoon(file, { timeoutMs: 10_000 }), {
        startImmediately: true
      })
      assert.strictEqual(watchers(), before + 1)
      const server = net.createServer()
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(file, () => resume(Effect.void))),
        () => Effect.sync(() => server.close())
      )
      yield* Fiber.join(connecting)
      assert.strictEqual(watchers(), before)
    }))
})
