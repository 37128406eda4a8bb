/** Any object of JSON. */
export type Fields = Readonly<Record<string, unknown>>

/** A request or a notification with the members of JSON-RPC only. */
export interface Message {
  readonly id: string | number | undefined
  readonly method: string
  readonly params: Fields | undefined
}

export const PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion"
const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
export const CLIENT_INFO = "io.modelcontextprotocol/clientInfo"
/** Prefix of the names in `_meta` that have a schema in the SDK. */
const RESERVED = "io.modelcontextprotocol/"

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === "string"
export const isId = (value: unknown): value is string | number => isText(value) || Number.isSafeInteger(value)

type Check = (value: unknown) => boolean

/** An object with these fields only, each of which passes its check. */
const only = (checks: Readonly<Record<string, Check>>): Check => (value) =>
  isFields(value) && Object.entries(value).every(([name, one]) => Object.hasOwn(checks, name) && checks[name]!(one))

const isBoolean: Check = (value) => typeof value === "boolean"
const ofFields: Check = (value) => isFields(value) && Object.values(value).every(isFields)

/** Capabilities that clients of today report. The SDK's schemas accept all of them. */
const isCapabilities = only({
  experimental: ofFields,
  extensions: ofFields,
  roots: only({ listChanged: isBoolean }),
  sampling: only({ context: isFields, tools: isFields }),
  elicitation: only({ form: only({ applyDefaults: isBoolean }), url: isFields })
})

const isKnownInfo = only({ name: isText, title: isText, version: isText, websiteUrl: isText, description: isText })
const isInfo: Check = (value) => isKnownInfo(value) && "name" in (value as Fields) && "version" in (value as Fields)

/** Checks `_meta`, except the fields that the caller checks. */
const isMeta = (value: unknown, own: ReadonlyArray<string> = []): value is Fields =>
  isFields(value) &&
  Object.entries(value).every(([name, one]) =>
    own.includes(name) || (name === "progressToken" ? isId(one) : isText(one) && !name.startsWith(RESERVED))
  )

/** The message of a line; undefined for any other line. */
export const messageOf = (line: string): Message | undefined => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isFields(value)) return undefined
  const { id, jsonrpc, method, params, ...more } = value
  const isMessage = jsonrpc === "2.0" && isText(method) && (params === undefined || isFields(params)) &&
    (id === undefined ? !("id" in value) : isId(id)) && Object.keys(more).length === 0
  return isMessage ? { id, method, params } as Message : undefined
}

/** Whether the SDK accepts these parameters of `initialize`. */
export const isInitialize = (params: Fields | undefined): params is Fields & { readonly protocolVersion: string } => {
  const { _meta = {}, capabilities, clientInfo, protocolVersion, ...more } = params ?? {}
  return isText(protocolVersion) && isCapabilities(capabilities) && isInfo(clientInfo) && isMeta(_meta) &&
    Object.keys(more).length === 0
}

/** Whether a request without arguments is asked for, by a client that sent `initialize`. */
export const isLegacy = (params: Fields = {}): boolean => {
  const { _meta = {}, ...more } = params
  return isMeta(_meta) && Object.keys(more).length === 0
}

/** Whether a request without arguments is asked for, in the revision that has no `initialize`. */
export const isModern = (params: Fields = {}, version: string): boolean => {
  const { _meta, ...more } = params
  return isMeta(_meta, [PROTOCOL_VERSION, CLIENT_CAPABILITIES, CLIENT_INFO]) && Object.keys(more).length === 0 &&
    _meta[PROTOCOL_VERSION] === version && isCapabilities(_meta[CLIENT_CAPABILITIES]) &&
    (_meta[CLIENT_INFO] === undefined || isInfo(_meta[CLIENT_INFO]))
}
