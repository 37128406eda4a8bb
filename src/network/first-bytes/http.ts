import { type Hello, malformed, needMore } from "./hello.ts"
import { LEADING_SPACES, looksLikeRequest, ODD_REQUEST, SPACES, targetOf } from "./request-line.ts"

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

/** `Example.com:80` -> `example.com`; undefined where the text is no host. */
const withoutPort = (text: string): string | undefined => {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:\s/\\@?#,]*))(?::\d*)?$/i.exec(text) ?? []
  return bracketed?.toLowerCase() ?? plain?.toLowerCase()
}
