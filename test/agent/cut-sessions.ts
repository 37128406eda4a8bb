import { assert } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { createHash } from "node:crypto"
import { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { newRequestId } from "../../src/system/processes/identity.ts"
import { FrameDecoder, HostMessage } from "../support/guest-channel/guest-wire.ts"
import { Agent, withAgent } from "./agent.ts"
import { type Cut, type CuttingSocket, openCutting } from "./cutting.ts"

const input = Buffer.from(Array.from({ length: 10 }, (_, i) => `line ${i} of the recorded session\n`).join(""))
const program = "{ for (i = 0; i < 20; i++) print i, $0; print \"seen\", $0 > \"/dev/stderr\" } END { exit 3 }"
const lines = input.toString().trimEnd().split("\n")
const sha = (text: string) => createHash("sha256").update(text).digest("hex")
const expected = {
  stdout: sha(lines.flatMap((line) => Array.from({ length: 20 }, (_, i) => `${i} ${line}\n`)).join("")),
  stderr: sha(lines.map((line) => `seen ${line}\n`).join("")),
  code: 3
}

/** What a host has on its disk of one process: all that outlives a lost connection. */
interface Log {
  readonly id: string
  stdout: string
  stderr: string
  code: number | undefined
}

/** One host's try to bring the session to its end: starts the process, or takes it up where the log ends. */
const attempt = (log: Log, open: ReturnType<typeof openCutting>, takeover: boolean) =>
  Effect.scoped(Effect.gen(function*() {
    const agent = yield* Agent
    const channel = yield* GuestChannel.connect({ open: Effect.provideService(open, Agent, agent), takeover })
    yield* channel.call.ping({ payload: Buffer.from("ping") })
    const known = { stdout: log.stdout.length, stderr: log.stderr.length }
    const adopted = yield* channel.adopt(log.id, known)
    // All of it is in the log already; adopting it was enough to have it forgotten.
    if (log.code !== undefined) return
    const env = yield* Agent.environment
    const process = Option.isSome(adopted)
      ? adopted.value
      : yield* Effect.flatten(
        channel.launch({ id: log.id, argv: ["awk", program], env, stdin: true, windowBytes: 4_096 })
      )
    const feeding = Effect.gen(function*() {
      yield* process.signal("SIGWINCH")
      yield* process.resize({ rows: 1, cols: 1 })
      for (let at = process.stdinOffset; at < input.length; at += 100) {
        yield* process.writeStdin(input.subarray(at, Math.min(at + 100, input.length)))
      }
      yield* process.endStdin
    })
    const logging = Stream.runForEach(process.output, ({ bytes, from, offset }) =>
      Effect.sync(() => {
        assert.strictEqual(offset, log[from].length)
        log[from] += Buffer.from(bytes).toString()
      }))
    yield* Effect.all([feeding, logging], { concurrency: 2 })
    log.code = (yield* process.exit).code
    // Only now, with all of it in the log, may the agent forget it.
    yield* process.release
  }))

/** Runs the session over a connection that breaks at each of `cuts` in turn, and then over one that holds. */
const session = (...cuts: ReadonlyArray<Cut>) =>
  Effect.gen(function*() {
    const log: Log = { id: newRequestId(), stdout: "", stderr: "", code: undefined }
    for (const [i, cut] of [...cuts, {}].entries()) {
      const tried = yield* Effect.result(attempt(log, openCutting(cut), i > 0))
      if (tried._tag === "Failure") {
        assert.strictEqual(tried.failure._tag, "ChannelFailed", `${JSON.stringify(cuts)}: ${tried.failure.message}`)
      }
      // The first try may not reach its end; the last has to.
      if (i === cuts.length && tried._tag === "Failure") {
        assert.fail(`${JSON.stringify(cuts)}: ${tried.failure.message}`)
      }
    }
    assert.deepStrictEqual(
      { stdout: sha(log.stdout), stderr: sha(log.stderr), code: log.code },
      expected,
      JSON.stringify(cuts)
    )
  })

/** The whole session without a cut: how many bytes go each way, and what the host's are. */
const record = Effect.gen(function*() {
  const log: Log = { id: newRequestId(), stdout: "", stderr: "", code: undefined }
  let socket: CuttingSocket | undefined
  yield* attempt(log, openCutting({}, (opened) => socket = opened), false)
  const kinds = new Set<number>()
  new FrameDecoder((_stream, kind) => kinds.add(kind)).push(Buffer.concat(socket?.sent ?? []))
  return { log, kinds, sent: socket?.sentBytes ?? 0, received: socket?.receivedBytes ?? 0 }
})

/**
 * Sessions that break and are taken over: after each `host`th byte that the host sends, after each `agent`th byte that the agent sends, and, for
 * each `again`th of 60 sessions, again while it is taken up.
 */
export const cutSessions = (
  name: string,
  apart: { readonly host: number; readonly agent: number; readonly again: number }
) =>
  withAgent(name, (it) => {
    it.effect("a session cut at bytes that the host sends loses and repeats nothing", () =>
      Effect.gen(function*() {
        yield* Effect.scoped(Agent.connect())
        const { kinds, sent } = yield* record
        const { Ack, Call, DataIn, EndIn, Hello, Resize, Signal, Spawn } = HostMessage
        for (const { kind } of [Hello, Call, Spawn, DataIn, EndIn, Ack, Signal, Resize]) assert.isTrue(kinds.has(kind))
        for (let toAgent = 0; toAgent <= sent; toAgent += apart.host) yield* session({ toAgent })
      }), 180_000)

    it.effect(
      "a session cut at points of what the agent sends loses and repeats nothing",
      () =>
        Effect.gen(function*() {
          const { received } = yield* record
          for (let fromAgent = 0; fromAgent <= received; fromAgent += apart.agent) yield* session({ fromAgent })
        }),
      180_000
    )

    it.effect(
      "a session cut again while it is taken up, also within the filler, loses and repeats nothing",
      () =>
        Effect.gen(function*() {
          const { received, sent } = yield* record
          for (let i = 0; i < 60; i += apart.again) {
            const first = { toAgent: (i * 37) % sent }
            const again = [
              { toAgent: (i * 7_919) % 131_072 },
              { toAgent: 131_072 + ((i * 53) % sent) },
              { fromAgent: (i * 131) % received }
            ]
            yield* session(first, ...again)
          }
        }),
      180_000
    )
  })
