import {
  type JSONRPCMessage,
  parseJSONRPCMessage,
  ProtocolErrorCode,
  type Transport
} from "@modelcontextprotocol/server"
import { named } from "../../contract/text/names.ts"
import { readableValue } from "../../contract/text/printable.ts"
import { strictText } from "../../contract/text/utf8.ts"
import { type Fields, isFields, isId } from "../handshake/request-shape.ts"
import { findingsOf, readable } from "./readable.ts"

/** An answer to a line that is no valid request. JSON-RPC has null in place of an unreadable id. */
interface Refusal {
  readonly jsonrpc: "2.0"
  readonly id: string | number | null
  readonly error: { readonly code: number; readonly message: string }
}

/** The decision about a line of a client. */
type Judged =
  | { readonly _tag: "Message"; readonly message: JSONRPCMessage }
  | { readonly _tag: "Refused"; readonly refusals: ReadonlyArray<Refusal> }
  | { readonly _tag: "Nothing" }

/** Maximum requests of one batch that get a refusal each. A batch is a line, and a line may have millions. */
const MAX_BATCH_REFUSALS = 100

const NOTHING: Judged = { _tag: "Nothing" }

const refusal = (id: unknown, message: string, code: number = ProtocolErrorCode.InvalidRequest): Refusal => ({
  jsonrpc: "2.0",
  id: isId(id) ? id : null,
  error: { code, message }
})

const refused = (...refusals: ReadonlyArray<Refusal>): Judged => ({ _tag: "Refused", refusals })

/** A line with other bytes. With U+FFFD in place of them, a path would name another file. */
const NOT_UTF8 = refused(refusal(null, "parse error: a line must be UTF-8", ProtocolErrorCode.ParseError))

/** The fault of a request or a notification; undefined if there is none. */
const faultOf = (message: Fields): string | undefined => {
  const { id, jsonrpc, method, params } = message
  if (jsonrpc !== "2.0") return "jsonrpc must be \"2.0\""
  if (typeof method !== "string") return "method must be a string"
  if ("id" in message && !isId(id)) return "id must be a string or an integer"
  if (params !== undefined && !isFields(params)) return "params must be an object"
  const meta = params?.["_meta"]
  if (meta === undefined) return undefined
  if (!isFields(meta)) return "params._meta must be an object"
  const token = meta["progressToken"]
  return token === undefined || isId(token) ? undefined : "params._meta.progressToken must be a string or an integer"
}

/** The message for the SDK; undefined if its schema finds a fault. */
const parsed = (message: Fields): JSONRPCMessage | undefined => {
  try {
    return parseJSONRPCMessage(message)
  } catch {
    return undefined
  }
}

const judgeBatch = (batch: ReadonlyArray<unknown>): Judged => {
  const text = "a batch is not supported: send one message a line"
  const ids = batch.flatMap((one) => isFields(one) && "method" in one && isId(one["id"]) ? [one["id"]] : [])
  return ids.length === 0 || ids.length > MAX_BATCH_REFUSALS
    ? refused(refusal(null, text))
    : refused(...ids.map((id) => refusal(id, text)))
}

/** Decides about a line. Every malformed line gets an answer, except a response. */
const judge = (line: string): Judged => {
  if (line.trim() === "") return NOTHING
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return refused(refusal(null, "parse error: a line must be one JSON-RPC message", ProtocolErrorCode.ParseError))
  }
  if (Array.isArray(value)) return judgeBatch(value)
  if (!isFields(value)) return refused(refusal(null, "invalid request: a message must be an object"))
  const { error, id, jsonrpc, method, params, result } = value
  if (method === undefined && (result !== undefined || error !== undefined)) {
    const response = parsed({ jsonrpc, id, ...(error === undefined ? { result } : { error }) })
    return response === undefined ? NOTHING : { _tag: "Message", message: response }
  }
  const fault = faultOf(value)
  if (fault !== undefined) return refused(refusal(id, `invalid request: ${fault}`))
  // Members that JSON-RPC does not have are ignored.
  const message = parsed({
    jsonrpc,
    method,
    ...("id" in value ? { id } : {}),
    ...(params === undefined ? {} : { params })
  })
  return message === undefined
    ? refused(refusal(id, "invalid request: a field of params._meta has another type than MCP gives it"))
    : { _tag: "Message", message }
}

/** Maximum bytes of a message: an argument of 8 MiB, with room for JSON's escapes. A longer message ends the connection. */
const MAX_MESSAGE_BYTES = 64 * 1_048_576

/** Maximum bytes of unread answers before the reading pauses: this bounds the memory of a client that only asks. */
const MAX_UNREAD_BYTES = 4 * 1_048_576

const NEWLINE = 0x0a

/** Code of a resource that does not exist, in every revision that begins with `initialize`. The SDK has the code of the later one. */
const RESOURCE_NOT_FOUND = -32_002

interface LineTransportOptions {
  readonly stdin: typeof process.stdin
  readonly stdout: typeof process.stdout
  /** Ids of requests that were answered before. The server's own answers to them are dropped. */
  readonly answered: ReadonlyArray<string | number>
}

type ErrorResponse = Extract<JSONRPCMessage, { readonly error: unknown }>

/** A result or an error whose texts have no invisible characters, whatever a guest, a model or a library wrote. Ids stay the client's own. */
const readableAnswer = (message: JSONRPCMessage): object =>
  named(Object.entries(message).map(([name, one]) => [name, name === "id" ? one as unknown : readableValue(one)]))

/** An error in readable form, with the code of the client's revision. */
const corrected = ({ error, ...message }: ErrorResponse, isLegacy: boolean): ErrorResponse => {
  const { code, data } = error
  const findings = findingsOf(error.message)
  if (findings !== undefined) {
    return { ...message, error: { code: ProtocolErrorCode.InvalidParams, message: readable(error.message) } }
  }
  const names = typeof data === "object" && data !== null ? Object.keys(data) : []
  return isLegacy && code === ProtocolErrorCode.InvalidParams && names.length === 1 && names[0] === "uri"
    ? { ...message, error: { ...error, code: RESOURCE_NOT_FOUND } }
    : { ...message, error }
}

/**
 * One message a line, over stdin and stdout. A line that is no message is answered here, and never reaches the server. Reads only while
 * the client reads.
 */
export const makeLineTransport = ({ answered, stdin, stdout }: LineTransportOptions): Transport => {
  const left = [...answered]
  let line: Array<Buffer> = []
  let lineBytes = 0
  let isLegacy = false
  let isClosed = false

  const write = (message: unknown): Promise<void> => {
    const isTaken = stdout.write(`${JSON.stringify(message)}\n`)
    if (isTaken) return Promise.resolve()
    if (stdout.writableLength > MAX_UNREAD_BYTES && !stdin.isPaused()) {
      stdin.pause()
      stdout.once("drain", () => isClosed || stdin.resume())
    }
    return new Promise((resolve) => stdout.once("drain", resolve))
  }

  const take = (bytes: Buffer) => {
    const text = strictText(bytes)
    const judged = text === undefined ? NOT_UTF8 : judge(text)
    if (judged._tag === "Message") transport.onmessage?.(judged.message)
    if (judged._tag === "Refused") judged.refusals.forEach((one) => void write(one))
  }

  const data = (chunk: Buffer) => {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0 && !isClosed; at = chunk.indexOf(NEWLINE, from)) {
      const bytes = Buffer.concat([...line, chunk.subarray(from, at)])
      line = []
      lineBytes = 0
      from = at + 1
      take(bytes)
    }
    line.push(chunk.subarray(from))
    lineBytes += chunk.length - from
    if (lineBytes <= MAX_MESSAGE_BYTES || isClosed) return
    void write(refusal(null, `invalid request: a message of more than ${MAX_MESSAGE_BYTES} bytes ends the connection`))
    close()
  }
  const failed = (error: Error) => {
    if (isClosed) return
    transport.onerror?.(error)
    close()
  }
  const close = () => {
    if (isClosed) return
    isClosed = true
    line = []
    stdin.off("data", data).off("end", close).off("close", close)
    stdin.pause()
    transport.onclose?.()
  }

  const transport: Transport = {
    start: () => {
      // Each unread answer waits for the client with listeners of its own.
      stdout.setMaxListeners(0)
      // Listeners of errors stay: a stream may fail after its last use.
      stdin.on("data", data).on("end", close).on("close", close).on("error", failed)
      stdout.on("error", failed)
      if (stdin.readableEnded || stdin.destroyed) setImmediate(close)
      return Promise.resolve()
    },
    setProtocolVersion: () => isLegacy = true,
    send: (message) => {
      if (isClosed) return Promise.resolve()
      const at = "method" in message || message.id === undefined ? -1 : left.indexOf(message.id)
      if (at >= 0) {
        left.splice(at, 1)
        return Promise.resolve()
      }
      if ("method" in message) return write(message)
      return write(readableAnswer("error" in message ? corrected(message, isLegacy) : message))
    },
    close: () => Promise.resolve(close())
  }
  return transport
}
