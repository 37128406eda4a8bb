import type { Remedy } from "../../model/judge.ts"
import type { DialFailure } from "./protocol.ts"

/** A connection that cannot be made, inside the dial process. */
export class Refusal extends Error {
  readonly failure: DialFailure
  readonly remedy: Remedy | undefined

  constructor(failure: DialFailure, detail: string, remedy?: Remedy) {
    super(detail)
    this.failure = failure
    this.remedy = remedy
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

/** Why a connection to `address` failed, as shown to users. */
const detailOf = (address: string, { code, message }: NodeJS.ErrnoException, failure: DialFailure): string => {
  if (code === "ECONNREFUSED") return `${address} refused the connection`
  if (code === "ECONNRESET") return `${address} reset the connection`
  if (failure === "timeout") return `${address} did not answer in time`
  return failure === "unreachable" ? `this host cannot reach ${address}: ${code}` : `${address}: ${code ?? message}`
}

/** Failure of one `connect` to `address`. */
export const connectRefusal = (address: string, error: NodeJS.ErrnoException): Refusal => {
  const failure = FAILURES.get(error.code ?? "") ?? "failed"
  return new Refusal(failure, detailOf(address, error, failure))
}
