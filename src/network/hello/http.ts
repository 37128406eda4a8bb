import { type Hello, malformed, needMore } from "./hello.ts"

/** Bytes of a method (`token` of RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Maximum length of a method. The longest registered method has 17 characters (UPDATEREDIRECTREF). */
const MAX_METHOD_CHARACTERS = 32
/** The end of a request line. Some servers accept other spaces and cases. */
const VERSION = /^[ \t]+(.*?)[ \t]+HTTP\/(\d+)\.(\d+)[ \t]*$/i

/**
 * Reads the hosts of an HTTP/1 request's head: the Host header, and the target where it has a host (RFC 9112, 3.2). A server may ignore
 * empty lines before the request.
 */
export const readHttp = (bytes: Uint8Array): Hello => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1").replace(/^[\r\n]+/, "")
  if (text === "") return bytes.length === 0 || bytes.length < 64 ? needMore : { _tag: "Other" }
  const lineEnd = text.indexOf("\n")
  const line = (lineEnd < 0 ? text : text.slice(0, lineEnd)).replace(/\r$/, "")
  const [, method = ""] = /^([^ \t]*)/.exec(line) ?? []
  if (method !== "" && !TOKEN.test(method)) return { _tag: "Other" }
  if (method.length > MAX_METHOD_CHARACTERS) return { _tag: "Other" }
  if (lineEnd < 0) return /[^\t\x20-\x7e\x80-\xff]/.test(line.replace(/\r$/, "")) ? { _tag: "Other" } : needMore
  const request = VERSION.exec(line.slice(method.length))
  if (method === "" || request === null) return { _tag: "Other" }
  const [, target = "", major] = request
  // The preface of HTTP/2 without TLS, whose hosts are compressed.
  if (major !== "1") {
    return major === "2" && method === "PRI"
      ? { _tag: "Other" }
      : malformed("the HTTP version is unknown")
  }
  return readHead(text.slice(lineEnd + 1), target)
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

/** The host of a target in absolute form, `http://host/`, which servers prefer to the Host header; or of CONNECT's `host:port`. */
const targetHosts = (target: string): ReadonlyArray<string> => {
  if (target.startsWith("/") || target === "*" || target === "") return []
  const [, authority = target] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target) ?? []
  return [withoutPort(authority.replace(/^.*@/s, "")) ?? authority]
}

/** `Example.com:80` -> `example.com`; undefined where the text is no host. */
const withoutPort = (text: string): string | undefined => {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:\s/\\@?#,]*))(?::\d*)?$/i.exec(text) ?? []
  return bracketed?.toLowerCase() ?? plain?.toLowerCase()
}
