import { Schema } from "effect"
import type { PyroError } from "../errors/errors.ts"
import { lazy } from "../rows/operation.ts"
import { SentError } from "./request-errors.ts"

/** First word of the line with which `pyro serve --stdio` begins. What a login shell prints before it is no part of the messages. */
const WORD = "pyro-serve-1 "

/** The line: ready, or the error that keeps the server from its work. */
export interface Greeting {
  readonly error?: PyroError
}

const Sent = lazy(() => Schema.toCodecJson(SentError))
const Line = Schema.decodeUnknownSync(Schema.Struct({ error: Schema.optionalKey(Schema.Unknown) }))

export const greetingLine = ({ error }: Greeting): string =>
  `${WORD}${JSON.stringify(error === undefined ? {} : { error: Schema.encodeUnknownSync(Sent())(error) })}\n`

/** Throws if the text is no greeting. */
const read = (text: string): Greeting => {
  const line = Line(JSON.parse(text))
  return "error" in line ? { error: Schema.decodeUnknownSync(Sent())(line.error) as PyroError } : {}
}

/** Maximum bytes before the end of the line. */
export const GREETING_BYTES = 65_536

/** What stands in the bytes that have come so far. */
export type Received =
  | { readonly _tag: "More" }
  /** The other side is no server of pyro. */
  | { readonly _tag: "None"; readonly said: string }
  | { readonly _tag: "Greeted"; readonly greeting: Greeting; readonly rest: Buffer }

/** Looks for the line. It may follow other lines: programs that a login shell starts print some. */
export const readGreeting = (bytes: Buffer): Received => {
  const said = (end: number) => bytes.subarray(0, end).toString("utf8").trim()
  for (let at = bytes.indexOf(WORD); at >= 0; at = bytes.indexOf(WORD, at + 1)) {
    if (at > 0 && bytes[at - 1] !== 0x0a) continue
    const end = bytes.indexOf(0x0a, at)
    if (end < 0) break
    try {
      const greeting = read(bytes.toString("utf8", at + WORD.length, end))
      return { _tag: "Greeted", greeting, rest: bytes.subarray(end + 1) }
    } catch {
      return { _tag: "None", said: said(end) }
    }
  }
  return bytes.length > GREETING_BYTES ? { _tag: "None", said: said(GREETING_BYTES) } : { _tag: "More" }
}
