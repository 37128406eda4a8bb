import { MAX_HEADER_BYTES } from "./connection.ts"
import type { Interception } from "./interception.ts"
import { addedBytes, foreignIn, giveValues, type Header } from "./placeholders.ts"

/** The head of a request, of either version of HTTP. */
export interface RequestHead {
  readonly method: string
  readonly target: string
  /** Every host that the request names: `:authority`, and each Host header. */
  readonly hosts: ReadonlyArray<string>
  readonly headers: ReadonlyArray<Header>
}

export type RequestVerdict =
  | { readonly _tag: "Allowed"; readonly headers: ReadonlyArray<Header> }
  | { readonly _tag: "Denied"; readonly status: number; readonly detail: string }

const denied = (status: number, detail: string): RequestVerdict => ({ _tag: "Denied", status, detail })

/** `Example.com:443` -> `example.com`. */
const nameOf = (host: string) => host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase()

/**
 * Judges the head of a request to `host`, and puts the values in. A request for another host would give the value to somebody else: one
 * server may serve many names.
 */
export const judgeRequest = (
  { foreign, secrets }: Pick<Interception, "foreign" | "secrets">,
  host: string,
  { headers, hosts, method, target }: RequestHead
): RequestVerdict => {
  if (hosts.length === 0 || hosts.some((one) => nameOf(one) !== host)) {
    return denied(
      421,
      `the request names the host ${JSON.stringify(hosts.join(", "))}, and the connection is to ${host}`
    )
  }
  if (method === "CONNECT" || !(target.startsWith("/") || target === "*")) {
    return denied(400, `the request's target is no path of ${host}`)
  }
  const stray = foreignIn(foreign, target, headers)
  if (stray !== undefined) {
    return denied(
      403,
      `the request to ${host} has the placeholder of the secret ${stray.name}, which this host does not get`
    )
  }
  if (addedBytes(secrets, headers) > MAX_HEADER_BYTES) {
    return denied(431, `the request to ${host} has the placeholder of a secret too often`)
  }
  return { _tag: "Allowed", headers: giveValues(secrets, headers) }
}
