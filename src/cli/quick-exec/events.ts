import { Foreign, Incomplete, reader } from "./msgpack.ts"

/** An event that is only printed. */
export type PlainEvent =
  | { readonly _tag: "Started" }
  | { readonly _tag: "Output"; readonly from: "stdout" | "stderr"; readonly bytes: Uint8Array; readonly next: number }
  | { readonly _tag: "Exited"; readonly status: number }

/** Events of a message, and whether more follow on request. */
export interface EventMessage {
  readonly events: ReadonlyArray<PlainEvent>
  readonly kind: "all" | "first" | "more"
}

type Fields = ReadonlyMap<unknown, unknown>

/** Whether a map has these fields and no others. */
const isMap = (value: unknown, ...names: ReadonlyArray<string>): value is Fields =>
  value instanceof Map && value.size === names.length && names.every((name) => value.has(name))

const eventOf = (value: unknown): PlainEvent | undefined => {
  if (isMap(value, "_tag", "execId") && value.get("_tag") === "Started") return { _tag: "Started" }
  if (isMap(value, "_tag", "from", "bytes", "next") && value.get("_tag") === "Output") {
    const from = value.get("from")
    const bytes = value.get("bytes")
    const next = value.get("next")
    return (from === "stdout" || from === "stderr") && bytes instanceof Uint8Array && typeof next === "number"
      ? { _tag: "Output", from, bytes, next }
      : undefined
  }
  const status = isMap(value, "_tag", "outcome", "status", "durationMs") ? value.get("status") : undefined
  const isExit = (value as Fields).get?.("_tag") === "Exited" && (value as Fields).get("outcome") === "exited"
  return isExit && typeof status === "number" ? { _tag: "Exited", status } : undefined
}

const eventsOf = (value: unknown): ReadonlyArray<PlainEvent> | undefined => {
  if (!Array.isArray(value)) return undefined
  const events = value.map(eventOf)
  return events.every((one) => one !== undefined) ? events : undefined
}

const decodeMessage = (message: unknown): EventMessage | undefined => {
  if (isMap(message, "_tag", "requestId", "values") && message.get("_tag") === "Chunk") {
    const events = message.get("requestId") === "1" ? eventsOf(message.get("values")) : undefined
    return events && { events, kind: "more" }
  }
  const exit = isMap(message, "_tag", "requestId", "exit") && message.get("requestId") === "0"
    ? message.get("exit")
    : undefined
  const first = isMap(exit, "_tag", "value") && exit.get("_tag") === "Success" ? exit.get("value") : undefined
  if (!isMap(first, "events", "more")) return undefined
  const events = eventsOf(first.get("events"))
  return events && { events, kind: first.get("more") === false ? "all" : "first" }
}

/** The next whole message of what was received; `decoded` is undefined if only the loaded program can decode the message. */
export const nextMessage = (received: Buffer, from: number) => {
  try {
    const { at, read } = reader(received, from)
    const decoded = decodeMessage(read())
    return { decoded, end: at() } as const
  } catch (error) {
    if (error instanceof Incomplete) return undefined
    if (error instanceof Foreign) return { decoded: undefined, end: received.length } as const
    throw error
  }
}
