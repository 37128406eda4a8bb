import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import * as net from "node:net"
import * as path from "node:path"
import { GuestChannel } from "../../../../../../src/lib/guest-channel/GuestChannel.ts"
import { dialAgent, insistently, mayAnswer } from "../../../../../../src/lib/vm/driver/firecracker/dial.ts"
import { lapse, until } from "../../../../../support/until.ts"
import { temporaryDirectory } from "../../../disk/temporary-directory.ts"

/** Firecracker's side of its vsock: answers the request on each connection by what the test says for it, the last one again and again. */
const vsock = (...answers: ReadonlyArray<(socket: net.Socket) => void>) =>
  Effect.gen(function*() {
    const file = path.join(yield* temporaryDirectory, "v")
    const requests: Array<string> = []
    const open = new Set<net.Socket>()
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      open.add(socket)
      let line = ""
      const take = (piece: Buffer) => {
        line += piece.toString("latin1")
        if (!line.includes("\n")) return
        socket.off("data", take)
        const answer = answers[Math.min(requests.length, answers.length - 1)]!
        requests.push(line)
        answer(socket)
      }
      socket.on("error", () => {}).on("data", take)
      socket.on("end", () => socket.end()).on("close", () => open.delete(socket))
    })
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(file, resolve))),
      () =>
        Effect.sync(() => {
          server.close()
          for (const socket of open) socket.destroy()
        })
    )
    return { file, requests, open }
  })

const taking = (bytes: string | Buffer) => (socket: net.Socket) => void socket.write(bytes)

/** The first bytes that a reader gets. */
const read = (socket: net.Socket, length: number) =>
  Effect.callback<Buffer>((resume) => {
    let got = Buffer.alloc(0)
    socket.on("data", (piece: Buffer) => {
      got = Buffer.concat([got, piece])
      if (got.length >= length) resume(Effect.succeed(got))
    })
  }).pipe(Effect.timeout("5 seconds"))

describe("Firecracker's vsock", () => {
  it.live("a connection asks for the agent's port, and gives every byte after the answer", () =>
    Effect.gen(function*() {
      const behind = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff))
      const { file, requests } = yield* vsock(taking(Buffer.concat([Buffer.from("OK 1073741824\n"), behind])))
      const socket = yield* dialAgent(file)
      assert.deepStrictEqual(requests, ["CONNECT 5005\n"])
      assert.isTrue((yield* read(socket, behind.length)).equals(behind))
    }))

  it.live("a reader that comes late, and bytes in both directions, lose nothing", () =>
    Effect.gen(function*() {
      const { file } = yield* vsock((socket) => {
        socket.write("OK 1\nfirst ")
        socket.on("data", (piece) => socket.write(piece))
      })
      const socket = yield* dialAgent(file)
      yield* lapse(20)
      socket.write("second")
      assert.strictEqual((yield* read(socket, 12)).toString(), "first second")
    }))

  it.live("an answer in pieces is one line, and the end of the agent's stream is no failure of the connection", () =>
    Effect.gen(function*() {
      const { file } = yield* vsock((socket) => {
        for (const [at, piece] of [..."OK 5\n\n"].entries()) setTimeout(() => socket.write(piece), at * 3)
        setTimeout(() => socket.end(), 30)
      })
      const socket = yield* dialAgent(file)
      assert.strictEqual((yield* read(socket, 1)).toString(), "\n")
      yield* Effect.callback<void>((resume) => {
        socket.once("end", () => resume(Effect.void))
      })
    }))

  it.live("a refused connection is tried again, and nothing of an earlier attempt stays open", () =>
    Effect.gen(function*() {
      const { file, open, requests } = yield* vsock(
        (socket) => void socket.destroy(),
        (socket) => void socket.end(),
        (socket) => void socket.end("OK 12"),
        taking("NO\n"),
        taking("x".repeat(100_000)),
        taking("OK 9\nhello")
      )
      const socket = yield* dialAgent(file)
      assert.strictEqual((yield* read(socket, 5)).toString(), "hello")
      assert.strictEqual(requests.length, 6)
      yield* until(() => open.size === 1)
    }))

  it.live("a dial waits for a socket that does not exist yet, and its interruption leaves no connection", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const none = yield* Effect.forkChild(Effect.scoped(dialAgent(path.join(folder, "v"))))
      yield* lapse(30)
      assert.isUndefined(none.pollUnsafe())
      yield* Fiber.interrupt(none)

      const { file, open, requests } = yield* vsock(() => {})
      const scope = yield* Scope.make()
      const silent = yield* Effect.forkChild(Scope.provide(dialAgent(file), scope))
      yield* until(() => requests.length !== 0)
      yield* Fiber.interrupt(silent)
      yield* until(() => open.size === 0)
      yield* Scope.close(scope, Exit.void)
    }).pipe(Effect.timeout("5 seconds")))

  it.live("a guest that breaks the protocol is not asked again, and one that ends the connection is", () =>
    Effect.gen(function*() {
      const { file, requests } = yield* vsock(
        (socket) => void socket.end("OK 1\n"),
        taking(Buffer.alloc(17 * 1024 * 1024, "OK 2\n"))
      )
      const failure = yield* insistently(
        () => Effect.scoped(GuestChannel.connect({ takeover: true, open: dialAgent(file) })),
        mayAnswer
      ).pipe(Effect.flip)
      assert.match(failure.message, /the guest broke the protocol: no hello/)
      assert.strictEqual(requests.length, 2)
    }))
})
