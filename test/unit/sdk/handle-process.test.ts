import { Deferred, Effect, Exit, Scope, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { ExecNotFound, StdinBlocked } from "../../../src/contract/errors/errors.ts"
import { Workspace } from "../../../src/sdk/handle.ts"
import { ended, EXEC_ID, handleService, output, rejection } from "./handle-service.ts"

/** Runs until somebody kills it. Readers of its output get `text`. */
const running = (text = "") => {
  const killed = Deferred.makeUnsafe<void>()
  const end = Stream.unwrap(Effect.as(
    Deferred.await(killed),
    Stream.make(ended({ outcome: "signaled", status: 143, signal: 15 }))
  ))
  return { killed, events: Stream.concat(text === "" ? Stream.empty : Stream.make(output(text, text.length)), end) }
}

describe("a process of a workspace that a program holds", () => {
  it("the command is started by a request without output, and each reader reads from its start", async () => {
    const { asked, fix } = handleService((payload) =>
      payload.cursor === undefined ? Stream.never : Stream.make(output("out", 3), output("err", 6, "stderr"), ended())
    )
    const child = await (await fix()).spawn(["server"], { env: { A: "1" } })
    assert.strictEqual(child.pid, 7)
    const read = async (stream: AsyncIterable<Uint8Array>) => {
      let text = ""
      for await (const bytes of stream) text += Buffer.from(bytes).toString()
      return text
    }
    assert.deepStrictEqual(
      await Promise.all([child.stdout, child.stderr, child.output].map(read)),
      ["out", "err", "outerr"]
    )
    const [start, ...reads] = asked.filter(([name]) => name === "exec").map(([, payload]) => payload)
    assert.deepInclude(start, { command: ["server"], env: { A: "1" }, openStdin: true, withoutOutput: true })
    for (const one of reads) assert.deepInclude(one, { command: [], execId: child.execId, cursor: 0 })
    assert.lengthOf(reads, 3)
  })

  it("a stream reads only what its reader asks for, in memory of its own", async () => {
    let pulled = 0
    const { fix, left } = handleService(({ cursor }) =>
      cursor === undefined ? Stream.never : Stream.fromEffectRepeat(Effect.sync(() => output("piece", ++pulled * 5)))
    )
    const child = await (await fix()).spawn("yes")
    const reader = child.stdout.getReader()
    assert.strictEqual(pulled, 0)
    const { value } = await reader.read()
    assert.strictEqual(value?.buffer.byteLength, 5)
    assert.isFalse(Buffer.isBuffer(value))
    assert.isAtMost(pulled, 2)
    await reader.cancel()
    assert.deepStrictEqual(left, [child.execId])
  })

  it("a reader of output that is gone fails, and does not take the rest for the whole", async () => {
    const { fix } = handleService(() => Stream.make(output("late", 1000), ended()))
    const child = await (await fix()).attach(EXEC_ID)
    assert.match(
      (await rejection(child.stdout.getReader().read()) as Error).message,
      /996 bytes of the output are no longer kept/
    )
  })

  it("wait needs no reader, and an aborted wait leaves the command", async () => {
    const command = running()
    const { asked, fix } = handleService(() => command.events, {
      signal: ({ execId, signal, to }) =>
        Effect.sync(() => {
          asked.push(["signal", { signal, to }])
          Deferred.doneUnsafe(command.killed, Exit.void)
          return { execId, signaled: true }
        })
    })
    const child = await (await fix()).spawn("sleep 600")
    const reason = new Error("no more patience")
    assert.strictEqual(await rejection(child.wait({ signal: AbortSignal.abort(reason) })), reason)
    assert.isTrue(await child.kill())
    assert.deepStrictEqual(await child.wait(), {
      status: 143,
      signal: "SIGTERM",
      outcome: "signaled",
      durationMs: 5
    })
    assert.deepStrictEqual(asked.find(([name]) => name === "signal"), ["signal", { signal: "SIGTERM", to: "command" }])
    const waits = asked.filter(([name]) => name === "exec").slice(1)
    for (const [, payload] of waits) assert.deepInclude(payload, { withoutOutput: true })
  })

  it("the end of its use ends the command, and a detached command goes on", async () => {
    const detached: Array<string> = []
    const { fix, left } = handleService((payload) => {
      if (!payload.detach) return Stream.never
      detached.push(payload.execId ?? "")
      return Stream.make({ _tag: "Detached" as const, execId: payload.execId ?? "" })
    })
    const ws = await fix()
    const child = await ws.spawn("sleep 600")
    assert.deepStrictEqual(left, [])
    await child[Symbol.asyncDispose]()
    assert.deepStrictEqual(left, [child.execId])
    assert.deepStrictEqual(detached, [])
    const other = await ws.spawn("sleep 600")
    assert.strictEqual(await other.detach(), other.execId)
    assert.deepStrictEqual(detached, [other.execId])
  })

  it("the signal of a spawn kills the command while it runs, and not after its end", async () => {
    const command = running()
    const killed = Deferred.makeUnsafe<ReadonlyArray<unknown>>()
    const { asked, fix } = handleService(() => command.events, {
      signal: ({ execId, signal, to }) =>
        Effect.sync(() => {
          asked.push(["signal", execId])
          Deferred.doneUnsafe(killed, Exit.succeed([execId, signal, to]))
          return { execId, signaled: true }
        })
    })
    const ws = await fix()
    const abort = new AbortController()
    const child = await ws.spawn("sleep 600", { signal: abort.signal })
    assert.isFalse(asked.some(([name]) => name === "signal"))
    abort.abort()
    assert.deepStrictEqual(await Effect.runPromise(Deferred.await(killed)), [child.execId, "SIGKILL", "command"])

    const later = new AbortController()
    const { signal } = later
    const removed = new Promise<void>((resolve) => {
      const remove = signal.removeEventListener.bind(signal)
      signal.removeEventListener = (...args: Parameters<typeof remove>) => resolve(remove(...args))
    })
    const other = await ws.spawn("sleep 600", { signal })
    const calls = asked.length
    await other[Symbol.asyncDispose]()
    await removed
    later.abort()
    assert.isFalse(asked.slice(calls).some(([name]) => name === "signal"))
  })

  it("a command that does not start rejects spawn, and so does an unknown command attach", async () => {
    const unknown = () => Stream.fail(new ExecNotFound({ workspace: "fix", execId: EXEC_ID }))
    const { fix } = handleService(() => Stream.empty, { exec: unknown })
    const ws = await fix()
    assert.instanceOf(await rejection(ws.spawn(["nope"])), ExecNotFound)
    assert.instanceOf(await rejection(ws.attach(EXEC_ID)), ExecNotFound)
  })

  it("a writer waits for a command that reads slowly, and fails when the command has ended", async () => {
    const taken: Array<string> = []
    let turns = 0
    const { fix } = handleService(() => Stream.never, {
      stdin: ({ close, content = new Uint8Array(), execId, workspace }) => {
        const text = Buffer.from(content).toString()
        if (close) taken.push("end")
        if (text === "late") return Effect.succeed({ execId, writtenBytes: 0, ended: true })
        // The guest takes three bytes, and the rest with the next try.
        if (turns++ === 0) {
          taken.push(text.slice(0, 3))
          return Effect.fail(new StdinBlocked({ workspace, execId, writtenBytes: 3, inputBytes: text.length }))
        }
        if (text !== "") taken.push(text)
        return Effect.succeed({ execId, writtenBytes: text.length, ended: false })
      }
    })
    const ws = await fix()
    const writer = (await ws.spawn("cat")).stdin.getWriter()
    await writer.write("slowly")
    await writer.write(new Uint8Array([33]))
    await writer.close()
    assert.deepStrictEqual(taken, ["slo", "wly", "!", "end"])
    const late = (await ws.spawn("true")).stdin.getWriter()
    late.closed.catch(() => {})
    assert.deepInclude(await rejection(late.write("late")), { _tag: "InvalidRequest", field: "stdin" })
  })

  it("in Effect, the Scope ends the command, and streams and sinks carry its bytes", async () => {
    const written: Array<string> = []
    const { layer, left } = handleService(
      ({ cursor }) => cursor === undefined ? Stream.never : Stream.make(output("bytes", 5), ended()),
      {
        stdin: ({ close, content = new Uint8Array(), execId }) =>
          Effect.sync(() => {
            written.push(close ? "end" : Buffer.from(content).toString())
            return { execId, writtenBytes: content.length, ended: false }
          })
      }
    )
    const scope = Scope.makeUnsafe()
    const text = await Effect.gen(function*() {
      const ws = yield* Workspace.open("fix")
      const child = yield* Scope.provide(ws.spawn("cat"), scope)
      yield* Stream.run(Stream.make("in", new Uint8Array([33])), child.stdin)
      const pieces = yield* Stream.runCollect(child.stdout)
      assert.deepStrictEqual(left, [child.execId])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(left, [child.execId, child.execId])
      return Buffer.concat(pieces).toString()
    }).pipe(Effect.provide(layer), Effect.runPromise)
    assert.strictEqual(text, "bytes")
    assert.deepStrictEqual(written, ["in", "!", "end"])
  })
})
