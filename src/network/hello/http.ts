import { type Hello, malformed, needMore } from "./hello.ts"

/** Bytes of a method (`token` of RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Characters that a server may take for a space: Python splits a request line at each of them. */
const SPACE = "[\\s\\x1c-\\x1f\\x85]+"
const SPACES = new RegExp(SPACE)
/** Servers ignore empty lines before a request, however many, and some ignore spaces. */
export const LEADING_SPACES = new RegExp(`^${SPACE}`)
/** The end of a request line. Servers of HTTP accept RTSP and Icecast as well: Node's parser is one for all three. */
const VERSION = /^(HTTP|RTSP|ICE)\/(\d+)\.(\d+)$/i
const ODD_VERSION = /^(HTTP|RTSP|ICE)\//i
/** Characters that are no text. Only lenient servers accept them in a target, and those know methods of letters alone. */
const CONTROL = /[\0-\x08\x0e-\x1b\x7f]/
const WORD = /^[A-Za-z_-]+$/

/**
 * Reads the hosts of an HTTP/1 request's head: the Host header, and the target where it has a host (RFC 9112, 3.2). The most lenient
 * server counts: a request that only this server accepts is a request.
 */
export const readHttp = (bytes: Uint8Array): Hello => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1").replace(LEADING_SPACES, "")
  const lineEnd = text.indexOf("\n")
  const line = lineEnd < 0 ? text : text.slice(0, lineEnd)
  const [method = "", ...others] = line.split(SPACES).filter((word) => word !== "")
  if (method !== "" && !TOKEN.test(method)) return { _tag: "Other" }
  // Binary protocols, and git:// with its zero bytes.
  if (CONTROL.test(line) && !WORD.test(method)) return { _tag: "Other" }
  if (lineEnd < 0) return needMore
  const version = others.pop() ?? ""
  const [, protocol = "", major] = VERSION.exec(version) ?? []
  if (major === undefined) {
    if (ODD_VERSION.test(version)) return malformed("the HTTP version is unknown")
    // A request of HTTP/0.9 ends with its target. Only a proxy gets a host there.
    return others.length === 0 && version.includes("://")
      ? { _tag: "Http", hosts: targetHosts(version) }
      : { _tag: "Other" }
  }
  // The preface of HTTP/2 without TLS, whose hosts are compressed.
  if (protocol.toUpperCase() === "HTTP" && major !== "1") {
    return major === "2" && method === "PRI" ? { _tag: "Other" } : malformed("the HTTP version is unknown")
  }
  const [target = "", ...more] = others
  return more.length > 0
    ? malformed("the HTTP request line has more than three words")
    : readHead(text.slice(lineEnd + 1), target)
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
