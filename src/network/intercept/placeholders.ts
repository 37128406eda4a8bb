import type { ForeignSecret, HeaderSecret } from "./interception.ts"

export type Header = readonly [name: string, value: string]

/** `[name, value, name, value]`, as Node gives headers, in pairs. */
export const pairs = (raw: ReadonlyArray<string>): ReadonlyArray<Header> =>
  Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at]!, raw[2 * at + 1]!])

/** Credentials of RFC 7617, which git, npm and pip send. */
const BASIC = /^(basic +)([a-z0-9+/]+={0,2})$/i
const BASIC_HEADERS = new Set(["authorization", "proxy-authorization"])

/** The readable text of a header value, and the way back. */
const opened = (name: string, value: string) => {
  const [, scheme, encoded] = BASIC_HEADERS.has(name.toLowerCase()) ? BASIC.exec(value) ?? [] : []
  return scheme === undefined || encoded === undefined
    ? { text: value, close: (text: string) => text }
    : {
      text: Buffer.from(encoded, "base64").toString("latin1"),
      close: (text: string) => scheme + Buffer.from(text, "latin1").toString("base64")
    }
}

/** Headers that say how a message is sent. No client has credentials there. */
const OF_MESSAGE = /^(connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade)$/i

/** Whether a header may get a value. HTTP/2 gives the method and the target as pseudo-headers, which hosts show in their answers. */
const isField = (name: string) => !name.startsWith(":") && !OF_MESSAGE.test(name)

/** The secret whose placeholder stands in a text of a request. */
export const foreignIn = (
  foreign: ReadonlyArray<ForeignSecret>,
  target: string,
  headers: ReadonlyArray<Header>
): ForeignSecret | undefined =>
  foreign.find(({ placeholder }) =>
    target.includes(placeholder) ||
    headers.some(([name, value]) => name.includes(placeholder) || opened(name, value).text.includes(placeholder))
  )

/** Bytes of the values that the headers would get. */
export const addedBytes = (secrets: ReadonlyArray<HeaderSecret>, headers: ReadonlyArray<Header>): number =>
  headers.reduce((sum, [name, value]) => {
    const { text } = opened(name, value)
    return secrets.reduce(
      (all, { placeholder, value }) => all + (text.split(placeholder).length - 1) * value.length,
      sum
    )
  }, 0)

/** Puts the values into one header. */
const withValues = (secrets: ReadonlyArray<HeaderSecret>, name: string, value: string): string => {
  if (!isField(name)) return value
  const { close, text } = opened(name, value)
  const fitting = secrets.filter(({ header, placeholder }) =>
    (header === undefined || header === name.toLowerCase()) && text.includes(placeholder)
  )
  if (fitting.length === 0) return value
  return close(fitting.reduce((sum, { placeholder, value }) => sum.replaceAll(placeholder, () => value), text))
}

/** Headers by which a client asks for an answer in another coding: pyro finds no value in compressed bytes. */
const ASKS_FOR_CODING = /^(.*-)?accept-encoding$/i
const WITHOUT_CODING = /^(sec-websocket-extensions|te)$/i

/** Asks for an answer whose bytes can be searched. `TE: trailers` is no coding. */
const forReadableAnswer = (headers: ReadonlyArray<Header>): ReadonlyArray<Header> => [
  ...headers.filter(([name, value]) =>
    !ASKS_FOR_CODING.test(name) && (!WITHOUT_CODING.test(name) || value.toLowerCase() === "trailers")
  ),
  ["accept-encoding", "identity"]
]

/** Puts the values into the headers of a request, and asks for a readable answer where there was one to put in. */
export const giveValues = (
  secrets: ReadonlyArray<HeaderSecret>,
  headers: ReadonlyArray<Header>
): ReadonlyArray<Header> => {
  const given = headers.map(([name, value]): Header => [name, withValues(secrets, name, value)])
  return given.some(([, value], at) => value !== headers[at]![1]) ? forReadableAnswer(given) : headers
}
