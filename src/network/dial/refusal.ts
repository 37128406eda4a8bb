import type { DialFailure } from "./protocol.ts"

/** A connection that cannot be made, inside the dial process. */
export class Refusal extends Error {
  readonly failure: DialFailure
  readonly option: string | undefined

  constructor(failure: DialFailure, detail: string, option?: string) {
    super(detail)
    this.failure = failure
    this.option = option
  }
}

export const refusalOf = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal("failed", error instanceof Error ? error.message : String(error))

const FAILURES = new Map<string, DialFailure>([
  ["ECONNREFUSED", "refused"],
  // A host that answers each connection with a reset.
  ["ECONNRESET", "refused"],
  ["ETIMEDOUT", "timeout"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["EADDRNOTAVAIL", "unreachable"],
  ["EAFNOSUPPORT", "unreachable"],
  ["ENETDOWN", "unreachable"],
  ["EHOSTDOWN", "unreachable"],
  ["EACCES", "unreachable"],
  ["EPERM", "unreachable"]
])

/** Failure of one `connect` to `address`. */
export const connectRefusal = (address: string, error: NodeJS.ErrnoException): Refusal =>
  new Refusal(FAILURES.get(error.code ?? "") ?? "failed", `${address}: ${error.code ?? error.message}`)
