import type { IncomingMessage, OutgoingHttpHeaders } from "node:http"
import { named } from "../../contract/text/names.ts"
import { type Body, bodyOf } from "../first-bytes/framing.ts"

/** Headers that a registry may need. All others, and what frames the message, stay with the cache. */
const PASSED = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "authorization",
  "cache-control",
  "content-encoding",
  "content-type",
  "cookie",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "npm-auth-type",
  "npm-command",
  "npm-in-ci",
  "npm-otp",
  "npm-scope",
  "npm-session",
  "pacote-integrity",
  "pacote-pkg-id",
  "pacote-req-type",
  "pacote-version",
  "pragma",
  "range",
  "user-agent"
])
const TEXT = /^[\t\x20-\x7e]*$/

/** The headers of a guest's request that the registry gets. */
export const passedHeaders = ({ headers }: Pick<IncomingMessage, "headers">): OutgoingHttpHeaders =>
  named(Object.entries(headers).filter(([name, value]) => PASSED.has(name) && TEXT.test(String(value))))

/** The body that a guest's request announces. `Unknown` for one whose end servers may see elsewhere. */
export const bodyOfRequest = (
  { httpVersion, rawHeaders }: Pick<IncomingMessage, "httpVersion" | "rawHeaders">
): Body => {
  const valuesOf = (wanted: string) =>
    rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]!.toLowerCase() === wanted)
  return bodyOf(valuesOf("content-length"), valuesOf("transfer-encoding"), httpVersion === "1.1")
}

export const isEmpty = (body: Body): boolean => body._tag === "Length" && body.bytes === 0
