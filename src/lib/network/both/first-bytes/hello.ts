/** Protocol and hosts of the first bytes of a connection. */
export type Hello =
  /** A prefix of a TLS handshake or an HTTP request. */
  | { readonly _tag: "NeedMore" }
  /** A TLS ClientHello. `name` is the host of its SNI; undefined without SNI. */
  | {
    readonly _tag: "Tls"
    readonly name: string | undefined
    /** Application protocols in the client's order (ALPN). Absent without the extension. */
    readonly protocols?: ReadonlyArray<string>
  }
  /** An HTTP/1 request. `hosts` are all hosts that it names, in lower case and without ports. */
  | { readonly _tag: "Http"; readonly hosts: ReadonlyArray<string> }
  /** Starts like TLS or HTTP and breaks its rules. */
  | { readonly _tag: "Malformed"; readonly detail: string }
  /** Neither TLS nor HTTP/1: SSH, git://, HTTP/2 without TLS, any other protocol. */
  | { readonly _tag: "Other" }

export const needMore: Hello = { _tag: "NeedMore" }
export const malformed = (detail: string): Extract<Hello, { readonly _tag: "Malformed" }> => ({
  _tag: "Malformed",
  detail
})
