import { Effect, Schema } from "effect"
import type { FromClientEncoded, FromServerEncoded } from "effect/rpc/RpcMessage"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { payloadOf } from "../contract/rows/payload-of.ts"
import { ExecEvent, ExecPayload } from "../contract/rows/workspace-exec.ts"
import { answerForm, payloadForm } from "../contract/wire/forms.ts"
import { CREDIT, makePyroRpcs } from "../contract/wire/rpcs.ts"
import { layerSerialization } from "../contract/wire/serialization.ts"
import type { RecordedFlag } from "../mcp/handshake/recorded.ts"
import { type Flag, flagsOf } from "./arguments/flags.ts"
import { type Around, CREDIT_EVENTS, type RecordedFrames, REQUEST_ID, type Values } from "./quick-exec/frames.ts"
import { mcpServe } from "./rows/rows.ts"

const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const takes = ({ field, repeated, value }: Flag): RecordedFlag["takes"] => {
  if (value === undefined) return "nothing"
  if (field?.kind._tag === "choice") return field.kind.choices
  return repeated ? "list" : "text"
}

/** The options of `pyro mcp serve`, for a reader without the table of commands. */
export const recordedFlags = (): ReadonlyArray<RecordedFlag> =>
  flagsOf(mcpServe).flatMap((flag) =>
    flag.field === undefined
      ? []
      : [{ name: `--${flag.name}`, field: camelCase(flag.field.name), takes: takes(flag) }]
  )

/** Values that occur only once in a request. */
const SAMPLES: Values = { workspace: "WWWWWWWW", command: ["CCCCCCCC"], execId: "e".repeat(32) }

/** A byte of the library's version and the fingerprint of a Schema. */
const FORM_BYTES = 9

/** A size below 128 is one byte, and so are the sizes of samples. */
const sized = (bytes: string | ArrayLike<number>) => Buffer.from([bytes.length, ...Buffer.from(bytes as Uint8Array)])

/** A frame without its size. */
const bodyOf = (frame: Uint8Array) => Buffer.from(frame).subarray(frame.findIndex((byte) => byte < 0x80) + 1)

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")

/** Offset of a part that occurs exactly once. */
const placeOf = (whole: Buffer, part: Buffer) => {
  const at = whole.indexOf(part)
  if (at < 0 || whole.indexOf(part, at + 1) >= 0) throw new Error("the library writes frames in another way")
  return at
}

const around = (whole: Buffer, part: Uint8Array): Around => {
  const [at, { length }] = [placeOf(whole, sized(part)), sized(part)]
  return { before: base64(whole.subarray(0, at)), behind: base64(whole.subarray(at + length)) }
}

/** The bytes before known bytes at the end. */
const headOf = (event: Buffer, ...tail: ReadonlyArray<Uint8Array>) => {
  const bytes = Buffer.concat(tail)
  const end = event.length - bytes.length
  if (!event.subarray(end).equals(bytes)) throw new Error("the library writes events in another way")
  return base64(event.subarray(0, end))
}

/** Cuts a payload at the values of the sample. */
const cut = (payload: Buffer): RecordedFrames["payload"]["stream"] => {
  const bytes: Readonly<Record<keyof Values, Buffer>> = {
    workspace: sized(SAMPLES.workspace),
    command: sized(Buffer.concat([Buffer.of(1), ...SAMPLES.command.map(sized)])),
    execId: sized(SAMPLES.execId)
  }
  const holes = (["workspace", "command", "execId"] as const)
    .map((value) => ({ value, at: placeOf(payload, bytes[value]) }))
    .sort((a, b) => a.at - b.at)
  let from = 0
  const pieces = holes.flatMap(({ at, value }) => {
    const before = base64(payload.subarray(from, at))
    from = at + bytes[value].length
    return [{ bytes: before }, { value }] as const
  })
  return [...pieces, { bytes: base64(payload.subarray(from)) }]
}

/** The frames of a plain `pyro exec`, as the library writes them. */
const record = ({ codecFor, makeUnsafe }: RpcSerialization.RpcSerialization["Service"]): RecordedFrames => {
  const { encode } = makeUnsafe()
  const message = (one: FromClientEncoded | FromServerEncoded) => encode(one) as Uint8Array
  const encoded = (schema: Schema.Top, value: unknown) =>
    Schema.encodeUnknownSync(codecFor(schema) as Schema.Codec<unknown, Uint8Array>)(value)
  const request = (id: string, tag: string, payload: Uint8Array, more: { readonly isNotification?: true } = {}) =>
    message({ _tag: "Request", id, tag, payload, headers: [], ...more })
  const { command, execId, workspace } = SAMPLES
  // `exec` prints output as it arrives, and does not keep it.
  const plain = { ...payloadOf("workspace.exec", { workspace, command, maxBytes: 0 }), execId }
  const payload = encoded(payloadForm(ExecPayload()), plain)
  const written = encoded(payloadForm(ExecPayload()), { ...plain, order: "written" })
  const events = Schema.NonEmptyArray(answerForm(ExecEvent()))
  const started = encoded(events, [{ _tag: "Started", execId }])
  /** One event, without the form, the number of events, and the event's size. */
  const eventOf = (event: ExecEvent) => bodyOf(encoded(events, [event])).subarray(FORM_BYTES + 2)
  const credit = makePyroRpcs().requests.get(CREDIT)!.payloadSchema
  return {
    request: around(bodyOf(request(REQUEST_ID, "workspace.exec", payload)), payload),
    payload: { stream: cut(bodyOf(payload)), written: cut(bodyOf(written)) },
    chunk: around(bodyOf(message({ _tag: "Chunk", requestId: REQUEST_ID, values: started as never })), started),
    events: base64(bodyOf(started).subarray(0, FORM_BYTES)),
    started: headOf(eventOf({ _tag: "Started", execId, pid: 3 }), sized([2 * 3]), sized(execId)),
    output: headOf(
      eventOf({ _tag: "Output", from: "stdout", bytes: Buffer.from("abc"), next: 3 }),
      sized([2 * 3]),
      sized("abc"),
      sized("stdout")
    ),
    exited: headOf(
      eventOf({ _tag: "Exited", outcome: "exited", status: 7, durationMs: 5 }),
      sized("exited"),
      sized([2 * 5]),
      sized([2 * 7])
    ),
    credit: base64(
      request("", CREDIT, encoded(credit, { request: REQUEST_ID, events: CREDIT_EVENTS }), { isNotification: true })
    )
  }
}

export const recordedExec = (): RecordedFrames =>
  Effect.runSync(Effect.map(RpcSerialization.RpcSerialization, record).pipe(Effect.provide(layerSerialization())))
