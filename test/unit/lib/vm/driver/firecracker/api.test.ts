import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as http from "node:http"
import * as path from "node:path"
import { connectApi } from "../../../../../../src/lib/vm/driver/firecracker/api.ts"
import { load, pause, resume } from "../../../../../../src/lib/vm/driver/firecracker/machine.ts"
import { lapse, until } from "../../../../../support/until.ts"
import { temporaryDirectory } from "../../../disk/temporary-directory.ts"

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly body: string
}

/** A server on a Unix socket that answers each request by what the test says. */
const serving = (answer: (asked: Asked, response: http.ServerResponse) => void) =>
  Effect.gen(function*() {
    const file = path.join(yield* temporaryDirectory, "api")
    const asked: Array<Asked> = []
    const server = http.createServer((request, response) => {
      let body = ""
      request.setEncoding("utf8").on("data", (piece: string) => body += piece)
      request.on("end", () => {
        const one = { method: request.method, url: request.url, body }
        asked.push(one)
        answer(one, response)
      })
    })
    const end = Effect.sync(() => {
      server.close()
      server.closeAllConnections()
    })
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(file, resolve))),
      () => end
    )
    return { file, asked, end }
  })

const fine = (_: Asked, response: http.ServerResponse) => void response.writeHead(204).end()

describe("Firecracker's API", () => {
  it.live("requests go out one after the other, as JSON of a known length", () =>
    Effect.gen(function*() {
      let open = 0
      const { asked, file } = yield* serving((_, response) => {
        assert.strictEqual(++open, 1)
        setTimeout(() => {
          open--
          response.writeHead(204).end()
        }, 5)
      })
      const api = yield* connectApi(file)
      yield* api.send("restore", load, resume)
      assert.deepStrictEqual(asked.map(({ method, url }) => `${method} ${url}`), ["PUT /snapshot/load", "PATCH /vm"])
      assert.deepStrictEqual(asked.map(({ body }) => JSON.parse(body) as unknown), [load.body, resume.body])
    }))

  it.live("a refusal fails its step with Firecracker's reason, escaped, and the later requests are not sent", () =>
    Effect.gen(function*() {
      const { asked, file } = yield* serving((_, response) =>
        void response.writeHead(400).end(JSON.stringify({ fault_message: "no such \u001b[31mdrive\u202e" }))
      )
      const api = yield* connectApi(file)
      const failure = yield* Effect.flip(api.send("switch disks", pause, resume))
      assert.deepInclude(failure, { _tag: "VmFailed", step: "switch disks" })
      assert.include(failure.detail, "PATCH /vm (400)")
      assert.include(failure.detail, String.raw`no such \x1b[31mdrive\u202e`)
      assert.strictEqual(asked.length, 1)
    }))

  it.live("a refusal without a reason has its whole text, escaped", () =>
    Effect.gen(function*() {
      for (const text of ["<\u0007html>", "null", "{}", "[1]"]) {
        const { file } = yield* serving((_, response) => void response.writeHead(500).end(text))
        const api = yield* connectApi(file)
        const { detail } = yield* Effect.flip(api.send("pause", pause))
        assert.isTrue(detail.endsWith(`(500): ${text.replace("\u0007", String.raw`\x07`)}`), detail)
      }
    }))

  it.live("an answer without an end is not read to its end", () =>
    Effect.gen(function*() {
      let sent = 0
      const { file } = yield* serving((_, response) => {
        const piece = "x".repeat(4096)
        const more = () => {
          while (!response.destroyed && response.write(piece)) sent += piece.length
          response.once("drain", more)
        }
        more()
      })
      const api = yield* connectApi(file)
      const failure = yield* Effect.flip(api.send("pause", pause))
      assert.include(failure.detail, "its answer is too long")
      assert.isBelow(sent, 4 * 1024 * 1024)
    }))

  it.live("a request fails if Firecracker closes the connection before or within its answer", () =>
    Effect.gen(function*() {
      const ways: ReadonlyArray<(response: http.ServerResponse) => void> = [
        (response) => void response.socket?.destroy(),
        (response) => {
          response.writeHead(200, { "content-length": "100" }).write("{")
          setTimeout(() => void response.socket?.destroy(), 5)
        }
      ]
      for (const way of ways) {
        const { file } = yield* serving((_, response) => way(response))
        const api = yield* connectApi(file)
        const failure = yield* Effect.flip(api.send("capture", pause))
        assert.deepInclude(failure, { _tag: "VmFailed", step: "capture" })
        assert.include(failure.detail, "/vm")
      }
    }))

  it.live("a Firecracker that never answers fails the request at its deadline", () =>
    Effect.gen(function*() {
      const { file } = yield* serving(() => {})
      const api = yield* connectApi(file, { answerTimeoutMs: 50 })
      const failure = yield* Effect.flip(api.send("pause", pause))
      assert.deepInclude(failure, { _tag: "VmFailed", step: "pause" })
      assert.include(failure.detail, "it does not answer")
    }).pipe(Effect.timeout("5 seconds")))

  it.live("a request that is interrupted ends its connection", () =>
    Effect.gen(function*() {
      let isClosed = false
      const { asked, file } = yield* serving((_, response) => void response.once("close", () => (isClosed = true)))
      const api = yield* connectApi(file)
      const fiber = yield* Effect.forkChild(api.send("pause", pause))
      yield* until(() => asked.length !== 0)
      yield* Fiber.interrupt(fiber)
      yield* until(() => isClosed)
    }).pipe(Effect.timeout("5 seconds")))

  it.live("a machine is paused if Firecracker says so", () =>
    Effect.gen(function*() {
      let state = "Paused"
      const { asked, file } = yield* serving((_, response) =>
        void response.writeHead(200).end(JSON.stringify({ app_name: "Firecracker", id: "x", state, vmm_version: "1" }))
      )
      const api = yield* connectApi(file)
      assert.isTrue(yield* api.isPaused)
      for (state of ["Running", "Not started"]) assert.isFalse(yield* api.isPaused)
      assert.deepStrictEqual(asked[0], { method: "GET", url: "/", body: "" })
    }))

  it.live("`closed` waits while Firecracker lives, and completes at its end, however often and late it is asked", () =>
    Effect.gen(function*() {
      const { end, file } = yield* serving(fine)
      const api = yield* connectApi(file)
      const early = yield* Effect.forkChild(api.closed, { startImmediately: true })
      yield* api.send("pause", pause)
      yield* lapse(20)
      assert.isUndefined(early.pollUnsafe())
      yield* end
      yield* Fiber.join(early)
      yield* api.closed
      assert.include((yield* Effect.flip(api.send("pause", pause))).detail, "/vm")
    }).pipe(Effect.timeout("5 seconds")))

  it.live("`closed` also completes if no fiber waited for it at the end", () =>
    Effect.gen(function*() {
      const { end, file } = yield* serving(fine)
      const api = yield* connectApi(file)
      yield* end
      yield* lapse(20)
      yield* api.closed
    }).pipe(Effect.timeout("5 seconds")))
})
