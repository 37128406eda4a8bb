import { fromDuplex } from "@effect/platform-node/NodeSocket"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { socketTo } from "../../../src/sdk/connection/connection.ts"
import { withReusedReads } from "../../../src/sdk/connection/reused-reads.ts"

/** A server that sends `content` and ends. */
const serving = (content: Buffer) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly file: string; readonly folder: string; readonly server: net.Server }>((resume) => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-reads-"))
      const file = path.join(folder, "s")
      const server = net.createServer((socket) => socket.on("error", () => {}).end(content))
      server.listen(file, () => resume(Effect.succeed({ file, folder, server })))
    }),
    ({ folder, server }) =>
      Effect.sync(() => {
        server.close()
        fs.rmSync(folder, { recursive: true })
      })
  ).pipe(Effect.map(({ file }) => file))

const nextTurn = Effect.promise(() => new Promise<void>((go) => setImmediate(go)))

/** All bytes until the end, which is a failure. `use` runs while the bytes of a pull are in use. */
const readAll = (file: string, use: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    let connected: net.Socket | undefined
    const opened = Effect.tap(socketTo(file), (socket) => Effect.sync(() => void (connected = socket)))
    const { pull } = yield* withReusedReads(yield* fromDuplex(opened), () => connected).reader
    const read: Array<Buffer> = []
    const memories = new Set<ArrayBufferLike>()
    const end = yield* Effect.flip(Effect.forever(Effect.gen(function*() {
      for (const chunk of yield* pull) {
        const bytes = chunk as Uint8Array
        memories.add(bytes.buffer)
        yield* use
        read.push(Buffer.from(bytes))
      }
    })))
    return { content: Buffer.concat(read), end, memories }
  })

describe("reads of a connection that use one memory", () => {
  const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 251))

  for (
    const [how, use] of [["at once", Effect.void], ["over some turns", Effect.andThen(nextTurn, nextTurn)]] as const
  ) {
    it.live(`a reader that uses the bytes ${how} gets them whole, and the end after them`, () =>
      Effect.gen(function*() {
        const read = yield* readAll(yield* serving(content), use)
        assert.isTrue(read.content.equals(content))
        assert.strictEqual(read.memories.size, 1)
        assert.include(JSON.stringify(read.end), "SocketCloseError")
      }).pipe(Effect.scoped))
  }

  it.live("a pull that is interrupted loses no byte", () =>
    Effect.gen(function*() {
      let connected: net.Socket | undefined
      const file = yield* serving(content)
      const opened = Effect.tap(socketTo(file), (socket) => Effect.sync(() => void (connected = socket)))
      const { pull } = yield* withReusedReads(yield* fromDuplex(opened), () => connected).reader
      const read: Array<Buffer> = []
      const keep = Effect.map(pull, (chunks) => void read.push(...chunks.map((bytes) => Buffer.from(bytes))))
      yield* Fiber.interrupt(yield* Effect.forkChild(keep))
      yield* nextTurn
      yield* Effect.flip(Effect.forever(keep))
      assert.isTrue(Buffer.concat(read).equals(content))
    }).pipe(Effect.scoped))
})
