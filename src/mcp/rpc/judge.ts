import { type JSONRPCMessage, parseJSONRPCMessage, ProtocolErrorCode } from "@modelcontextprotocol/server"

/** An answer to what is no request that a server could take. Without a readable id, JSON-RPC has null in its place. */
export interface Refusal {
  readonly jsonrpc: "2.0"
  readonly id: string | number | null
  readonly error: { readonly code: number; readonly message: string }
}

/** What becomes of a line of a client. */
export type Judged =
  | { readonly _tag: "Message"; readonly message: JSONRPCMessage }
  | { readonly _tag: "Refused"; readonly refusals: ReadonlyArray<Refusal> }
  | { readonly _tag: "Nothing" }

/** Requests of one batch that get a refusal each. A batch is a line, and a line may have millions. */
const MAX_BATCH_REFUSALS = 100

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isId = (value: unknown): value is string | number => typeof value === "string" || Number.isSafeInteger(value)

const NOTHING: Judged = { _tag: "Nothing" }

export const refusal = (id: unknown, message: string, code: number = ProtocolErrorCode.InvalidRequest): Refusal => ({
  jsonrpc: "2.0",
  id: isId(id) ? id : null,
  error: { code, message }
})

const refused = (...refusals: ReadonlyArray<Refusal>): Judged => ({ _tag: "Refused", refusals })

/** What is wrong with a request or a notification; undefined where nothing is. */
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

/** As the SDK takes it; undefined where its schema still finds a fault. */
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

/** Decides about a line. Nothing but a response stays without an answer if it is malformed: responses are not answered. */
export const judge = (line: string): Judged => {
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
