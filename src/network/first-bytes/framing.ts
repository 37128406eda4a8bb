import { LEADING_SPACES } from "./request-line.ts"

/** Bytes of a request after its head. */
export type Body =
  | { readonly _tag: "Length"; readonly bytes: number }
  | { readonly _tag: "Chunked" }
  /** Servers may disagree on the end of the request. */
  | { readonly _tag: "Unknown" }

export interface Framing {
  readonly headBytes: number
  readonly body: Body
  /** The request asks for another protocol on this connection. */
  readonly asksForUpgrade: boolean
}

const unknown: Body = { _tag: "Unknown" }

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) [\x21-\x7e\x80-\xff]+ HTTP\/1\.([01])$/
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/
const LENGTH = /^\d{1,15}$/

/**
 * Reads where the request of a complete head ends (RFC 9112, 6.3). Strict: what servers read in different ways is `Unknown`, such as two lengths, a
 * length beside a coding, or a line that ends with LF alone.
 */
export const readFraming = (bytes: Uint8Array): Framing => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")
  const [leading = ""] = LEADING_SPACES.exec(text) ?? []
  let at = leading.length
  const lines: Array<string> = []
  let isStrict = /^(\r\n)*$/.test(leading)
  for (;;) {
    const end = text.indexOf("\n", at)
    const line = text.slice(at, end < 0 ? text.length : end)
    at = end < 0 ? text.length : end + 1
    isStrict &&= line.endsWith("\r")
    const content = line.replace(/\r$/, "")
    if (content === "") break
    lines.push(content)
  }
  const [, method, minor] = REQUEST_LINE.exec(lines[0] ?? "") ?? []
  const headers = lines.slice(1).map((line) => HEADER.exec(line))
  const valuesOf = (wanted: string) =>
    headers.flatMap((found) => found?.[1]?.toLowerCase() === wanted ? [found[2] ?? ""] : [])
  const isRead = isStrict && method !== undefined && method !== "CONNECT" && !headers.includes(null)
  return {
    headBytes: at,
    body: isRead ? bodyOf(valuesOf("content-length"), valuesOf("transfer-encoding"), minor === "1") : unknown,
    asksForUpgrade: valuesOf("upgrade").length > 0
  }
}

/** The body that the values of Content-Length and Transfer-Encoding announce. */
export const bodyOf = (lengths: ReadonlyArray<string>, codings: ReadonlyArray<string>, mayBeChunked: boolean): Body => {
  const [length = "0"] = lengths
  const [coding = ""] = codings
  if (codings.length === 0 && lengths.length <= 1 && LENGTH.test(length)) {
    return { _tag: "Length", bytes: Number(length) }
  }
  const isChunked = codings.length === 1 && lengths.length === 0 && coding.toLowerCase() === "chunked" && mayBeChunked
  return isChunked ? { _tag: "Chunked" } : unknown
}
