import { Effect, Exit, Option, Schema } from "effect"
import type * as Rpc from "effect/rpc/Rpc"
import * as RpcSchema from "effect/rpc/RpcSchema"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { assert, describe, it } from "vitest"
import { operations } from "../../../src/contract/rows/operations.ts"
import { bulk } from "../../../src/contract/wire/bulk.ts"
import { payloadForm } from "../../../src/contract/wire/forms.ts"
import { layerPortable } from "../../../src/contract/wire/portable.ts"
import { makePyroRpcs } from "../../../src/contract/wire/rpcs.ts"
import { UnreadableMessage } from "../../../src/contract/wire/serialization.ts"
import { sampleOf } from "../../support/daemon/samples.ts"

const serialization = (unreadable?: (message: UnreadableMessage) => void) =>
  Effect.runSync(Effect.provide(RpcSerialization.RpcSerialization, layerPortable(unreadable)))
const { codecFor, makeUnsafe } = serialization()
const { requests } = makePyroRpcs()

const codecOf = (schema: Schema.Top) => codecFor(schema) as unknown as Schema.Codec<unknown, unknown>

/** The messages that the other side reads if the bytes come in two parts. */
const across = (messages: ReadonlyArray<unknown>, cutAt: number) => {
  const bytes = Buffer.from(makeUnsafe().encode(messages) as Uint8Array)
  const { decode } = makeUnsafe()
  return [...decode(bytes.subarray(0, cutAt)), ...decode(bytes.subarray(cutAt))]
}

/** A payload as the other side gets it. */
const asked = (schema: Schema.Top, payload: unknown) => {
  const codec = codecOf(schema)
  const encoded = Schema.encodeUnknownSync(codec)(payload)
  const [message] = across([{ _tag: "Request", id: 1, tag: "x", payload: encoded, headers: [["a", "b"]] }], 7)
  return Schema.decodeUnknownSync(codec)((message as { readonly payload: unknown }).payload)
}

/** Events as the other side gets them. */
const told = (schema: Schema.Top, events: ReadonlyArray<unknown>) => {
  const codec = codecOf(Schema.NonEmptyArray(schema))
  const [message] = across([{ _tag: "Chunk", requestId: 1, values: Schema.encodeUnknownSync(codec)(events) }], 7)
  return Schema.decodeUnknownSync(codec)((message as { readonly values: unknown }).values)
}

/** A result as the other side gets it. */
const answered = (schema: Schema.Top, result: unknown) => {
  const codec = codecOf(Schema.Exit(schema, Schema.Never, Schema.Never))
  const [message] = across(
    [{ _tag: "Exit", requestId: "1", exit: Schema.encodeUnknownSync(codec)(Exit.succeed(result)) }],
    7
  )
  return Schema.decodeUnknownSync(codec)((message as { readonly exit: unknown }).exit)
}

/** The Schema of a row's events. Undefined: it has one result. */
const eventOf = ({ successSchema }: Rpc.AnyWithProps): Schema.Top | undefined =>
  RpcSchema.isStreamSchema(successSchema) ? successSchema.success : undefined

const without = (field: string, payload: unknown) =>
  Object.fromEntries(Object.entries(payload as object).filter(([name]) => name !== field))

/** Payloads of a row: names of secrets and those of registries follow different rules. */
const payloadsOf = (schema: Schema.Top) => [
  without("registryAuth", sampleOf(schema, "some_text_1")),
  without("secrets", sampleOf(schema, "registry.test:5000"))
]

const isWritable = (schema: Schema.Top) => (payload: unknown) =>
  Option.isSome(Schema.encodeUnknownOption(codecOf(schema))(payload))

describe("the form of messages between machines", () => {
  for (const { kind, name } of operations) {
    it(`carries ${name}`, () => {
      const rpc = requests.get(name as never) as unknown as Rpc.AnyWithProps
      const payloads = payloadsOf(rpc.payloadSchema).filter(isWritable(rpc.payloadSchema))
      assert.isNotEmpty(payloads)
      for (const payload of payloads) assert.deepEqual(asked(rpc.payloadSchema, payload), payload)
      const event = eventOf(rpc)
      assert.strictEqual(event !== undefined, kind === "streaming")
      if (event === undefined) {
        const result = sampleOf(rpc.successSchema, "tür \u{1f600}")
        assert.deepEqual(answered(rpc.successSchema, result), Exit.succeed(result))
      } else {
        const events = [sampleOf(event, "tür \u{1f600}"), sampleOf(event, "x")]
        assert.deepEqual(told(event, events), events)
      }
    })
  }
  it("passes over fields of an answer that this build does not know, and refuses those of a payload", () => {
    const [Now, Later] = [Schema.Struct({ a: Schema.String }), Schema.Struct({ a: Schema.String, b: Schema.Boolean })]
    const [now, later] = [codecOf(Now), codecOf(Later)] as const
    const answer = Schema.encodeUnknownSync(later)({ a: "x", b: true })
    assert.deepEqual(Schema.decodeUnknownSync(now)(answer), { a: "x" })
    const nested = (inner: Schema.Top) => codecOf(payloadForm(Schema.Struct({ deep: inner }) as never))
    const payload = Schema.encodeUnknownSync(nested(Later))({ deep: { a: "x", b: true } })
    assert.throws(() => Schema.decodeUnknownSync(nested(Now))(payload), /b/)
  })
  it("carries bytes beside the message, whole at each cut", () => {
    const schema = bulk(Schema.Struct({ id: Schema.String, bytes: Schema.Uint8Array }))
    const bytes = Buffer.alloc(10_000, "\0{}\n")
    const payload = Schema.encodeUnknownSync(codecOf(schema))({ id: "x", bytes })
    const messages = [{ _tag: "Ping" }, { _tag: "Request", id: 1, tag: "x", payload, headers: [] }, { _tag: "Pong" }]
    const size = (makeUnsafe().encode(messages) as Uint8Array).length
    assert.isBelow(size, bytes.length + 300)
    for (let cutAt = 0; cutAt < size; cutAt += 1 + cutAt % 97) {
      const [ping, request, pong] = across(messages, cutAt) as [unknown, { readonly payload: unknown }, unknown]
      assert.deepEqual([ping, pong], [{ _tag: "Ping" }, { _tag: "Pong" }])
      const decoded = Schema.decodeUnknownSync(codecOf(schema))(request.payload) as { readonly bytes: Uint8Array }
      assert.isTrue(bytes.equals(decoded.bytes))
    }
  })
  it("refuses what is no message, once, and reads nothing after it", () => {
    const good = makeUnsafe().encode({ _tag: "Ping" }) as Uint8Array
    const frame = (text: string) => {
      const head = Buffer.alloc(9)
      head.writeUInt32BE(Buffer.byteLength(text), 1)
      return Buffer.concat([head, Buffer.from(text)])
    }
    const huge = Buffer.alloc(9)
    huge.writeUInt32BE(0xffff_ffff, 1)
    const lies = [
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      huge,
      frame("{"),
      frame("null"),
      frame("{\"_tag\":\"Eval\"}"),
      frame("{\"_tag\":\"Request\",\"id\":{},\"tag\":\"x\",\"headers\":[]}"),
      frame("{\"_tag\":\"Request\",\"id\":1,\"tag\":\"x\",\"headers\":[[\"a\"]]}"),
      Buffer.concat([frame("\u00ff").subarray(0, 10), Buffer.from([0xff])])
    ]
    for (const lie of lies) {
      const said: Array<string> = []
      const { decode } = serialization(({ message }) => void said.push(message)).makeUnsafe()
      assert.deepEqual(decode(good), [{ _tag: "Ping" }])
      assert.throws(() => decode(lie), UnreadableMessage)
      assert.deepEqual(decode(good), [])
      assert.strictEqual(said.length, 1)
    }
  })
})
