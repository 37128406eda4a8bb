import type { Hello } from "./hello.ts"
import { malformed, needMore } from "./hello.ts"
import { readHttp } from "./http.ts"
import { isEarlyRecord, readSsl2, readTls } from "./tls.ts"

/** Maximum bytes of a client that wait for a host name. */
export const MAX_HELLO_BYTES = 16_384

const HEAD_END = Buffer.from("\r\n\r\n")

/**
 * Reads the first bytes that a client sent. The answer for a prefix is NeedMore or the answer for all longer inputs.
 *
 * With encrypted ClientHello (RFC 9849) the name is the outer one: the inner one is not readable.
 */
export const inspect = (bytes: Uint8Array): Hello => {
  if (bytes.length === 0) return needMore
  const head = bytes.length > MAX_HELLO_BYTES ? bytes.subarray(0, MAX_HELLO_BYTES) : bytes
  const hello = read(head)
  return hello._tag === "NeedMore" && head.length === MAX_HELLO_BYTES
    ? malformed(`its first ${MAX_HELLO_BYTES} bytes name no host`)
    : hello
}

const read = (head: Uint8Array): Hello => {
  const type = head[0]!
  if (isEarlyRecord(type)) return readTls(head)
  return type >= 0x80 ? readSsl2(head) : readHttp(head)
}

/** The same for a client that has ended: some servers read the end as the end of the head. */
export const inspectWhole = (bytes: Uint8Array): Hello => inspect(Buffer.concat([bytes, HEAD_END]))

/**
 * Why a connection to `name` is refused for its first bytes; undefined if it is allowed. Protocols without a host name in their first
 * bytes are allowed.
 */
export const fronting = (name: string, hello: Exclude<Hello, { readonly _tag: "NeedMore" }>): string | undefined => {
  switch (hello._tag) {
    case "Other":
      return undefined
    case "Malformed":
      return hello.detail
    case "Tls":
      if (hello.name === undefined) return `the TLS ClientHello names no server (SNI), and the connection is to ${name}`
      return isSame(name, hello.name)
        ? undefined
        : `the TLS server name (SNI) is ${quoted(hello.name)}, and the connection is to ${name}`
    case "Http": {
      const other = hello.hosts.find((host) => !isSame(name, host))
      return other === undefined ? undefined : `the HTTP Host is ${quoted(other)}, and the connection is to ${name}`
    }
  }
}

const isSame = (name: string, other: string) => other.toLowerCase().replace(/\.$/, "") === name

/** Maximum characters of a guest's text in a reason. */
const MAX_QUOTED_CHARACTERS = 100

const quoted = (text: string) =>
  JSON.stringify(text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}…` : text)
