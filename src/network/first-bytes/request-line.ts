/** Characters that a server may take for a space: Python splits a request line at each of them. */
const SPACE = "[\\s\\x1c-\\x1f\\x85]+"
export const SPACES = new RegExp(SPACE)
/** Servers ignore empty lines before a request, however many, and some ignore spaces. */
export const LEADING_SPACES = new RegExp(`^${SPACE}`)

/** Every form but this one is read in different ways (RFC 9112, 3). */
const EXACT = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ ([\x21-\x7e\x80-\xff]+) HTTP\/1\.[01]\r?$/
/** Servers of HTTP accept RTSP and Icecast as well: Node's parser is one for all three. */
const VERSION = /(^|[^A-Za-z0-9])(HTTP|RTSP|ICE)\/\d/i
/** A request of HTTP/0.9 has no version. Python reads headers behind it all the same. */
const WITHOUT_VERSION = new RegExp(
  `^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE)${SPACE}\\S|^[A-Za-z_-]+${SPACE}(/|[a-z][a-z0-9+.-]*://)`
)
/** The line with which a proxy tells a server who its client is; a request follows. */
const PROXY_LINE = /^PROXY /
/** The preface of HTTP/2 without TLS, whose hosts are compressed. */
const HTTP2_PREFACE = /^PRI \* HTTP\/2\.0\r?$/

/** The target of a line that is exactly a request of HTTP/1.0 or HTTP/1.1; `undefined` for every other line. */
export const targetOf = (line: string): string | undefined => EXACT.exec(line)?.[1]

/** Whether a server may take a line, which is no exact request line, for the beginning of a request. */
export const looksLikeRequest = (line: string): boolean =>
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
