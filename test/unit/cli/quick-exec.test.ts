import { Effect, Result } from "effect"
import { Packr, Unpackr } from "msgpackr"
import { assert, describe, it } from "vitest"
import { route, splitArgv } from "../../../src/cli/argv.ts"
import { decode, parse } from "../../../src/cli/parser.ts"
import { nextMessage } from "../../../src/cli/quick-exec/events.ts"
import { Incomplete, reader } from "../../../src/cli/quick-exec/msgpack.ts"
import { ack, commandOf, firstRequest, restRequest } from "../../../src/cli/quick-exec/request.ts"
import { recordedExec } from "../../../src/cli/recorded-exec.ts"
import { named } from "../../../src/contract/text/names.ts"
import { ODD_NAMES } from "../../support/odd-names.ts"

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false })
const execId = "0123456789abcdef".repeat(2)
const requestId = "fedcba9876543210".repeat(2)

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
      const asked = unpackr.unpack(firstRequest(command, { execId, requestId }, recordedExec())) as {
        readonly payload: { readonly request: unknown }
      }
      const payload = payloadOf(line)
      assert.isDefined(payload, line.join(" "))
      // Both as they come out of the daemon's socket.
      const expected = unpackr.unpack(packr.pack({ ...payload, maxBytes: 0, execId })) as unknown
      assert.deepStrictEqual(asked.payload.request, expected)
    }
    assert.isAbove(taken, WORDS.length)
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

  it("quick exec sends the same messages as the daemon's client", () => {
    const first = firstRequest({ workspace: "w", command: ["c"] }, { execId, requestId }, recordedExec())
    const { headers, id, tag } = unpackr.unpack(first) as Record<string, unknown>
    assert.deepStrictEqual({ headers, id, tag }, { headers: [], id: "0", tag: "first.workspace.exec" })
    assert.deepStrictEqual(unpackr.unpack(restRequest(requestId)), {
      _tag: "Request",
      id: "1",
      tag: "rest.workspace.exec",
      payload: { id: requestId },
      headers: []
    })
    assert.deepStrictEqual(unpackr.unpack(ack()), { _tag: "Ack", requestId: "1" })
  })
})

describe("MessagePack", () => {
  const plain = (value: unknown): unknown =>
    value instanceof Map
      ? Object.fromEntries([...value].map(([name, one]) => [name, plain(one)]))
      : Array.isArray(value)
      ? value.map(plain)
      : value

  it("the MessagePack reader decodes as the library does", () => {
    const numbers = [
      0,
      1,
      127,
      128,
      255,
      256,
      65_535,
      65_536,
      4_294_967_295,
      2 ** 40,
      -1,
      -32,
      -33,
      -128,
      -129,
      -40_000,
      -(2 ** 40),
      1.5
    ]
    const texts = ["", "a".repeat(31), "b".repeat(32), "c".repeat(300), "d".repeat(70_000), "é\u{1f525}"]
    const value = {
      numbers,
      texts,
      truth: [true, false, null],
      bytes: [Buffer.alloc(3, 1), Buffer.alloc(300, 2), Buffer.alloc(70_000, 3)],
      long: Array.from({ length: 70_000 }, () => 7),
      nested: { a: { b: [{ c: [] }] } }
    }
    const packed = packr.pack(value)
    const { at, read } = reader(packed, 0)
    assert.deepStrictEqual(plain(read()), unpackr.unpack(packed))
    assert.strictEqual(at(), packed.length)
  })

  it("the MessagePack reader waits for the rest of a cut message and leaves unknown types to the program", () => {
    const message = {
      _tag: "Chunk",
      requestId: "1",
      values: [{ _tag: "Output", from: "stdout", bytes: Buffer.from("x"), next: 1 }]
    }
    const packed = packr.pack(message)
    for (let length = 0; length < packed.length; length++) {
      assert.throws(() => reader(packed.subarray(0, length), 0).read(), Incomplete)
      assert.isUndefined(nextMessage(packed.subarray(0, length), 0))
    }
    assert.strictEqual(nextMessage(packed, 0)?.decoded?.events.length, 1)
    const others = [
      { ...message, more: 1 },
      { ...message, requestId: "2" },
      { ...message, values: [{ _tag: "Notice", level: "warning", message: "x" }] },
      { ...message, values: [{ _tag: "Exited", outcome: "signaled", status: 137, signal: 9, durationMs: 1 }] },
      { ...message, values: [{ _tag: "Exited", outcome: "exited", status: 0, durationMs: 1, droppedBytes: 9 }] },
      { ...message, values: [named([["__proto__", 1]])] },
      { _tag: "Exit", requestId: "0", exit: { _tag: "Failure", cause: { _tag: "Fail", error: {} } } }
    ]
    for (const other of others) {
      const packed = packr.pack(other)
      assert.deepStrictEqual(nextMessage(packed, 0), { decoded: undefined, end: packed.length })
    }
  })
})
