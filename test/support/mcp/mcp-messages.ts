/** `_meta` of a request of the revision without `initialize`. */
export const envelope = (version: unknown = "2026-07-28", more: object = {}) => ({
  _meta: {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
    ...more
  }
})

export const initialize = (protocolVersion: unknown, more: object = {}) => ({
  method: "initialize",
  params: { protocolVersion, capabilities: {}, clientInfo: { name: "raw", version: "1" }, ...more }
})

export const initialized = { method: "notifications/initialized" }
