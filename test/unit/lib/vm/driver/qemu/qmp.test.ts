import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { makeQmp, type QmpEvent } from "../../../../../../src/lib/vm/driver/qemu/qmp.ts"

const greeting = `{"QMP": {"version": {}, "capabilities": []}}\r\n`

/** A monitor that answers each line by what the test says. */
const monitor = (answer: (line: string, socket: net.Socket) => void, first = greeting) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-qmp-"))),
      (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
    )
    const server = net.createServer((socket) => {
      let text = ""
      socket.on("error", () => {})
      socket.write(first)
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
        const lines = text.split("\n")
        text = lines.pop() ?? ""
        for (const line of lines) answer(line, socket)
      })
    })
    const file = path.join(folder, "q")
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(file, resolve))),
      () => Effect.sync(() => server.close())
    )
    return yield* Effect.callback<net.Socket>((resume) => {
      const socket = net.connect(file, () => resume(Effect.succeed(socket)))
    })
  })

const ok = (line: string, socket: net.Socket) => {
  if (line.includes("qmp_capabilities")) socket.write("{\"return\": {}}\r\n")
}

describe("qmp", () => {
  it.live("the QMP client gives answers to their commands in order, and events to its listeners", () =>
    Effect.gen(function*() {
      const events: Array<QmpEvent> = []
      const socket = yield* monitor((line, socket) => {
        ok(line, socket)
        if (line.includes("first")) {
          socket.write("{\"event\": \"STOP\", \"data\": {\"a\": 1}}\r\n{\"return\": 1}\r\n{\"ret")
        }
        if (line.includes("second")) socket.write("urn\": 2}\r\n")
      })
      const qmp = yield* makeQmp(socket, (event) => void events.push(event))
      const answers = yield* Effect.all([qmp.execute("first"), qmp.execute("second")], { concurrency: 2 })
      assert.deepStrictEqual(answers, [1, 2])
      assert.deepStrictEqual(events, [{ event: "STOP", data: { a: 1 } }])
    }))

  it.live("the QMP client names a refused command, also one of several", () =>
    Effect.gen(function*() {
      const socket = yield* monitor((line, socket) => {
        ok(line, socket)
        if (line.includes("good")) socket.write("{\"return\": {}}\r\n")
        if (line.includes("bad")) {
          socket.write("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such node\"}}\r\n")
        }
      })
      const qmp = yield* makeQmp(socket, () => {})
      const failure = yield* Effect.flip(qmp.executeAll([["good"], ["bad", { x: 1 }], ["good"]]))
      assert.deepStrictEqual(
        { ...failure },
        { _tag: "QmpFailed", command: "bad", kind: "GenericError", detail: "no such node" } as never
      )
      yield* qmp.execute("good")
    }))

  it.live("the QMP client fails its waiting commands when the monitor ends, sends garbage, or never ends a line", () =>
    Effect.gen(function*() {
      const ways = [
        (socket: net.Socket) => void socket.destroy(),
        (socket: net.Socket) => void socket.write("nonsense\n"),
        (socket: net.Socket) => void socket.write("{\"return\": \"" + "x".repeat(2 * 1024 * 1024))
      ]
      for (const way of ways) {
        const socket = yield* monitor((line, socket) => {
          ok(line, socket)
          if (line.includes("wait")) way(socket)
        })
        const qmp = yield* makeQmp(socket, () => {})
        assert.strictEqual((yield* Effect.flip(qmp.execute("wait"))).kind, "Closed")
        assert.strictEqual((yield* Effect.flip(qmp.execute("later"))).kind, "Closed")
        yield* qmp.closed
      }
    }))

  it.live("the QMP client does not wait for ever for a silent monitor, before its greeting or after a command", () =>
    Effect.gen(function*() {
      const socket = yield* monitor((line, socket) => {
        ok(line, socket)
        if (line.includes("good")) socket.write("{\"return\": {}}\r\n")
      })
      const qmp = yield* makeQmp(socket, () => {}, { answerTimeoutMs: 1000 })
      yield* qmp.execute("good")
      const [first, second] = yield* Effect.all([Effect.flip(qmp.execute("stop")), Effect.flip(qmp.execute("later"))], {
        concurrency: 2
      })
      assert.deepStrictEqual(
        { ...first },
        { _tag: "QmpFailed", command: "stop", kind: "Closed", detail: "no answer to stop within 1 s" } as never
      )
      assert.strictEqual(second.kind, "Closed")
      yield* qmp.closed
      const mute = yield* monitor(() => {}, "")
      const failure = yield* Effect.flip(makeQmp(mute, () => {}, { answerTimeoutMs: 50 }))
      assert.strictEqual(failure.command, "greeting")
    }))

  it.live("the QMP client gives up a stopped QEMU long before the answer's deadline", () =>
    Effect.gen(function*() {
      const socket = yield* monitor(ok)
      let looks = 0
      const qmp = yield* makeQmp(socket, () => {}, { isStopped: () => ++looks > 2, lookEveryMs: 5 })
      const failure = yield* Effect.flip(qmp.execute("stop"))
      assert.match(failure.message, /no answer to stop: QEMU is stopped by a signal/)
      yield* qmp.closed
      assert.strictEqual(looks, 7)
    }))
})
