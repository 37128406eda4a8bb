import { type Hello, malformed, needMore } from "./hello.ts"

/** Characters that a server may take for a space: Python splits a request line at each of them. */
const SPACE = "[\\s\\x1c-\\x1f\\x85]+"
const SPACES = new RegExp(SPACE)
/** Servers ignore empty lines before a request, however many, and some ignore spaces. */
const LEADING_SPACES = new RegExp(`^${SPACE}`)

/** Every form but this one is read in different ways (RFC 9112, 3). */
const EXACT = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ ([\x21-\x7e\x80-\xff]+) HTTP\/1\.[01]\r?$/
/** Servers of HTTP accept RTSP and Icecast as well: Node's parser is one for all three. */
const VERSION = /(^|[^A-Za-z0-9])(HTTP|RTSP|ICE)\/\d/i
/** A request of HTTP/0.9 has no version. Python still reads headers after it. */
const WITHOUT_VERSION = new RegExp(
  `^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE)${SPACE}\\S|^[A-Za-z_-]+${SPACE}(/|[a-z][a-z0-9+.-]*://)`
)
/** The line with which a proxy tells a server who its client is; a request follows. */
const PROXY_LINE = /^PROXY /
/** The preface of HTTP/2 without TLS, which has compressed hosts. */
const HTTP2_PREFACE = /^PRI \* HTTP\/2\.0\r?$/

/** The target of a line that is exactly a request of HTTP/1.0 or HTTP/1.1; `undefined` for every other line. */
const targetOf = (line: string): string | undefined => EXACT.exec(line)?.[1]

/** Whether a server may take a line, which is no exact request line, for the beginning of a request. */
const looksLikeRequest = (line: string): boolean =>
  !HTTP2_PREFACE.test(line) && (VERSION.test(line) || WITHOUT_VERSION.test(line) || PROXY_LINE.test(line))

export const ODD_REQUEST = "its first line looks like an HTTP request, and is none of HTTP/1.0 or HTTP/1.1"

/** Characters of the end of a piece in which a version may have begun. */
const KEPT_CHARACTERS = 8
/** Characters of the beginning of a line that have the method and the beginning of the target. */
const BEGIN_CHARACTERS = 64
const ALL_SPACES = new RegExp(SPACE, "g")

/**
 * Watches the first line of a connection that is taken for another protocol: servers accept methods of odd bytes. The line passes piece by piece, since
 * a server acts on no line without its end.
 */
export class FirstLine {
  #kept = ""
  #begin = ""
  isOver = false

  /** Whether the line so far looks like a request. */
  looksLikeRequest(bytes: Uint8Array): boolean {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")
    const begun = this.#begin === "" ? text.replace(LEADING_SPACES, "") : text
    const end = begun.indexOf("\n")
    const piece = end < 0 ? begun : begun.slice(0, end)
    const line = this.#kept + piece
    this.isOver = end >= 0
    this.#kept = line.slice(-KEPT_CHARACTERS)
    if (this.#begin.length < BEGIN_CHARACTERS) {
      this.#begin = (this.#begin + piece).replace(ALL_SPACES, " ").slice(0, BEGIN_CHARACTERS)
    }
    return (VERSION.test(line) && !HTTP2_PREFACE.test(line)) || WITHOUT_VERSION.test(this.#begin)
  }
}

/** Bytes of a request after its head. */
export type Body =
  | { readonly _tag: "Length"; readonly bytes: number }
  | { readonly _tag: "Chunked" }
  /** Servers may disagree on the end of the request. */
  | { readonly _tag: "Unknown" }

interface Framing {
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

/** Bytes of a method (`token` of RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Characters that are no text. Only lenient servers accept them in a target, and those know methods of letters alone. */
const CONTROL = /[\0-\x08\x0e-\x1b\x7f]/
const WORD = /^[A-Za-z_-]+$/
/** How a proxy tells a server who its client is, in binary; a request follows. */
const PROXY_SIGNATURE = "\r\n\r\n\0\r\nQUIT\n"

/**
 * Reads the hosts of an HTTP/1 request's head: the Host header, and the target where it has a host (RFC 9112, 3.2). A line that only some
 * servers take for a request line is malformed.
 */
export const readHttp = (bytes: Uint8Array): Hello => {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")
  if (PROXY_SIGNATURE.startsWith(whole)) return whole === PROXY_SIGNATURE ? malformed(ODD_REQUEST) : needMore
  if (whole.startsWith(PROXY_SIGNATURE)) return malformed(ODD_REQUEST)
  const text = whole.replace(LEADING_SPACES, "")
  const lineEnd = text.indexOf("\n")
  const line = lineEnd < 0 ? text : text.slice(0, lineEnd)
  const [method = ""] = line.split(SPACES)
  const isOdd = (method !== "" && !TOKEN.test(method)) || (CONTROL.test(line) && !WORD.test(method))
  if (lineEnd < 0) {
    // Binary protocols, and git:// with its zero bytes, do not wait for a line.
    if (isOdd) return looksLikeRequest(line) ? malformed(ODD_REQUEST) : { _tag: "Other" }
    return needMore
  }
  const leading = whole.slice(0, whole.length - text.length)
  const target = /^[\r\n]*$/.test(leading) ? targetOf(line) : undefined
  if (target !== undefined) return readHead(text.slice(lineEnd + 1), target)
  return looksLikeRequest(line) ? malformed(ODD_REQUEST) : { _tag: "Other" }
}

/** Reads header lines up to the empty line. */
const readHead = (text: string, target: string): Hello => {
  const hosts = [...targetHosts(target)]
  let at = 0
  let hostLines = 0
  for (;;) {
    const end = text.indexOf("\n", at)
    if (end < 0) return needMore
    const line = text.slice(at, end).replace(/\r$/, "")
    at = end + 1
    if (line === "") break
    // Servers disagree on the meaning of a folded line and of a name with a space.
    const [, name, value = ""] = /^([^\s:]+):(.*)$/s.exec(line) ?? []
    if (name === undefined || line.includes("\r")) return malformed("an HTTP header line cannot be read")
    if (name.toLowerCase() !== "host") continue
    hostLines += 1
    const host = withoutPort(value.trim())
    if (host === undefined) return malformed("the HTTP Host header cannot be read")
    if (host !== "") hosts.push(host)
  }
  return hostLines > 1 ? malformed("the HTTP request has several Host headers") : { _tag: "Http", hosts }
}

/**
 * The hosts of a target in absolute form, `http://host/`, which servers prefer to the Host header; or of CONNECT's `host:port`. A backslash
 * is a slash for the URL standard, and a part of the user's name for RFC 3986.
 */
const targetHosts = (target: string): ReadonlyArray<string> => {
  if (target.startsWith("/") || target === "*" || target === "") return []
  const [, authority = target] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target) ?? []
  const readings = new Set([authority, authority.replace(/\\.*$/s, "")])
  return [...readings].map((one) => one.replace(/^.*@/s, "")).map((one) => withoutPort(one) ?? one)
}

/** `Example.com:80` -> `example.com`; undefined if the text is no host. */
const withoutPort = (text: string): string | undefined => {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:\s/\\@?#,]*))(?::\d*)?$/i.exec(text) ?? []
  return bracketed?.toLowerCase() ?? plain?.toLowerCase()
}
