import { Effect, Result, Schema } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as FastCheck from "fast-check"
import { assert, describe, it } from "vitest"
import { route, splitArgv } from "../../../src/cli/arguments/argv.ts"
import { decode, parse } from "../../../src/cli/arguments/parser.ts"
import { creditFrame, nextEvents, REQUEST_ID, requestFrame } from "../../../src/cli/quick-exec/frames.ts"
import { commandOf } from "../../../src/cli/quick-exec/quick-exec.ts"
import { recordedExec } from "../../../src/cli/recorded.ts"
import { ExecEvent, ExecPayload } from "../../../src/contract/rows/workspace-exec.ts"
import { answerForm, payloadForm } from "../../../src/contract/wire/forms.ts"
import { CREDIT, makePyroRpcs, WINDOW_EVENTS } from "../../../src/contract/wire/rpcs.ts"
import { layerSerialization } from "../../../src/contract/wire/serialization.ts"
import { ODD_NAMES } from "../../support/odd-names.ts"

const library = Effect.runSync(Effect.provide(RpcSerialization.RpcSerialization, layerSerialization()))
const { encode } = library.makeUnsafe()
const execId = "0123456789abcdef".repeat(2)
const frames = recordedExec()

interface Message {
  readonly _tag: string
  readonly tag: string
  readonly isNotification?: boolean
  readonly payload: Uint8Array
}

/** A message as the daemon reads it. */
const read = (frame: Uint8Array) => library.makeUnsafe().decode(frame)[0] as Message
const codec = <A>(schema: Schema.Codec<A, unknown>) => library.codecFor(schema) as Schema.Codec<A, Uint8Array>

/** What the whole program would ask for. */
const payloadOf = (argv: ReadonlyArray<string>) => {
  const { own, rest } = splitArgv(argv)
  const routed = route(own)
  if (routed._tag !== "Operation") return undefined
  const { operation, words } = routed
  const read = Effect.runSync(Effect.result(parse(operation, words, rest)))
  if (Result.isFailure(read) || read.success.json || operation.name !== "workspace.exec") return undefined
  const payload = Effect.runSync(Effect.result(decode(operation.cli, operation.payload(), read.success.raw)))
  return Result.isFailure(payload) ? undefined : payload.success
}

describe("a command line that is run without the program", () => {
  const WORDS = [
    "w1",
    "ws-0123456789",
    "",
    "-",
    "--",
    "-i",
    "--json",
    "--quiet",
    "a b",
    "~",
    "é",
    "x".repeat(64),
    ...ODD_NAMES
  ]
  const lines = [
    [],
    ["workspace"],
    ["workspace", "exec"],
    ["workspace", "exec", "w1"],
    ["workspace", "exec", "w1", "--"],
    ["workspace", "exec", "--", "true"],
    ["workspace", "exec", "--json", "w1", "--", "true"],
    ["workspace", "exec", "w1", "--cwd", "/", "--", "true"],
    ["workspace", "list", "w1", "--", "true"],
    ["run", "debian:12", "--", "true"],
    ...WORDS.flatMap((word) => [
      ["workspace", "exec", word, "--", "true"],
      ["workspace", "exec", "w1", "--", "sh", word, "--", word],
      ["workspace", "exec", "w1", "sh", word, "--", word],
      ["workspace", "exec", "w1", word, "sh"],
      ["workspace", "exec", word, "w1", "--", "true"],
      ["workspace", word, "w1", "--", "true"]
    ])
  ]

  it("quick exec sends the request that the program sends, in each of many forms", () => {
    let taken = 0
    for (const line of lines) {
      const command = commandOf(line)
      if (command === undefined) continue
      taken++
      const asked = read(requestFrame(frames, { ...command, execId, order: "stream" }))
      const payload = payloadOf(line)
      assert.isDefined(payload, line.join(" "))
      assert.deepStrictEqual(Schema.decodeSync(codec(payloadForm(ExecPayload())))(asked.payload), {
        ...payload,
        maxBytes: 0,
        execId
      })
    }
    assert.isAbove(taken, WORDS.length)
  })

  it("quick exec asks for one pipe where stdout and stderr of pyro are one file", () => {
    const asked = read(requestFrame(frames, { workspace: "w1", command: ["true"], execId, order: "written" }))
    assert.deepStrictEqual(Schema.decodeSync(codec(payloadForm(ExecPayload())))(asked.payload), {
      ...payloadOf(["workspace", "exec", "w1", "--order", "written", "--", "true"]),
      maxBytes: 0,
      execId
    })
  })

  it("quick exec handles the simplest command lines only", () => {
    assert.deepStrictEqual(commandOf(["workspace", "exec", "w1", "--", "ls", "-l"]), {
      workspace: "w1",
      command: ["ls", "-l"]
    })
    assert.deepStrictEqual(commandOf(["workspace", "exec", "w1", "ls", "-l", "--", "x"]), {
      workspace: "w1",
      command: ["ls", "-l", "--", "x"]
    })
    for (const line of lines.slice(0, 10)) assert.isUndefined(commandOf(line), line.join(" "))
  })
})

/** Events as the daemon sends them. */
const sent = (events: ReadonlyArray<ExecEvent>, requestId = REQUEST_ID) =>
  Buffer.from(encode({
    _tag: "Chunk",
    requestId,
    values: Schema.encodeUnknownSync(codec(Schema.NonEmptyArray(answerForm(ExecEvent()))))(events)
  }) as Uint8Array)

describe("frames that are written and read without the library", () => {
  it("a request is byte for byte the library's", () => {
    const texts = FastCheck.array(FastCheck.string({ maxLength: 300, unit: "grapheme" }), {
      minLength: 1,
      maxLength: 40
    })
    FastCheck.assert(FastCheck.property(texts, (command) => {
      // A command without a NUL byte, as the parser gives it.
      const words = command.map((word) => word.replaceAll("\0", ""))
      const payload = { ...Schema.decodeSync(ExecPayload())({ workspace: "w1", command: words }), maxBytes: 0, execId }
      for (const order of ["stream", "written"] as const) {
        const expected = encode({
          _tag: "Request",
          id: REQUEST_ID,
          tag: "workspace.exec",
          payload: Schema.encodeSync(codec(payloadForm(ExecPayload())))(
            order === "stream" ? payload : { ...payload, order }
          ),
          headers: []
        }) as Uint8Array
        assert.deepStrictEqual(
          requestFrame(frames, { workspace: "w1", command: words, execId, order }),
          Buffer.from(expected)
        )
      }
    }))
  })

  it("credit is a request without an answer, of half a window", () => {
    const message = read(creditFrame(frames))
    assert.deepInclude(message, { _tag: "Request", tag: CREDIT, isNotification: true })
    const { payloadSchema } = makePyroRpcs().requests.get(CREDIT)!
    assert.deepStrictEqual(Schema.decodeUnknownSync(codec(payloadSchema as never))(message.payload) as unknown, {
      request: REQUEST_ID,
      events: WINDOW_EVENTS / 2
    })
  })

  it("the events of any message are those that the library has written", () => {
    const event = FastCheck.oneof(
      FastCheck.record({
        _tag: FastCheck.constant("Started" as const),
        execId: FastCheck.constant(execId),
        pid: FastCheck.nat(2 ** 22)
      }),
      FastCheck.record({
        _tag: FastCheck.constant("Output" as const),
        from: FastCheck.constantFrom("stdout" as const, "stderr" as const),
        bytes: FastCheck.uint8Array({ maxLength: 40_000, size: "max" }),
        next: FastCheck.integer({ min: 0, max: 2 ** 47 })
      }),
      FastCheck.record({
        _tag: FastCheck.constant("Exited" as const),
        outcome: FastCheck.constant("exited" as const),
        status: FastCheck.nat(255),
        durationMs: FastCheck.nat()
      })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(event, { minLength: 1, maxLength: 5 }), (events) => {
        const frame = sent(events)
        const next = nextEvents(frames, Buffer.concat([frame, frame]), 0)
        assert.strictEqual(next?.end, frame.length)
        assert.deepStrictEqual(
          next?.events?.map((one): object => one._tag === "Output" ? { ...one, bytes: Buffer.from(one.bytes) } : one),
          events.map((one): object =>
            one._tag === "Started"
              ? { _tag: "Started" }
              : one._tag === "Exited"
              ? { _tag: "Exited", status: one.status }
              : { ...one, bytes: Buffer.from(one.bytes) }
          )
        )
      }),
      { numRuns: 50 }
    )
  })

  it("a cut frame waits for its rest, and what is more than plain output is the program's", () => {
    const plain = { _tag: "Output", from: "stdout", bytes: Buffer.from("x"), next: 1 } as const
    const packed = sent([plain])
    for (let length = 0; length < packed.length; length++) {
      assert.isUndefined(nextEvents(frames, packed.subarray(0, length), 0))
    }
    assert.strictEqual(nextEvents(frames, packed, 0)?.events?.length, 1)
    const others = [
      sent([plain], "2"),
      sent([{ _tag: "Notice", level: "warning", message: "x" }]),
      sent([{ _tag: "Started", execId }]),
      sent([{ _tag: "Started", execId, pid: 7, stdinBytes: 3 }]),
      sent([{ _tag: "Detached", execId }]),
      // A number that is no whole one of less than eight bytes.
      sent([{ ...plain, next: 2 ** 50 }]),
      sent([{ ...plain, next: 0.5 }]),
      sent([plain, { _tag: "Exited", outcome: "signaled", status: 137, signal: 9, durationMs: 1 }]),
      sent([{ _tag: "Exited", outcome: "exited", status: 0, durationMs: 1, droppedBytes: 9 }]),
      Buffer.from(encode({ _tag: "Pong" }) as Uint8Array),
      Buffer.from(encode({ _tag: "Exit", requestId: REQUEST_ID, exit: new Uint8Array(9) as never }) as Uint8Array),
      Buffer.from([3, 0xc1, 0xc1, 0xc1])
    ]
    for (const other of others) {
      assert.deepStrictEqual(nextEvents(frames, other, 0), { events: undefined, end: other.length })
    }
  })

  it("bytes that are no frame are the program's", () => {
    FastCheck.assert(FastCheck.property(FastCheck.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      const next = nextEvents(frames, Buffer.from(bytes), 0)
      assert.isUndefined(next?.events)
    }))
  })
})
