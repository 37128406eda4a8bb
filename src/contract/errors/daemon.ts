import { Schema } from "effect"
import { ContractError } from "./contract-error.ts"

export class DaemonUnavailable extends ContractError<DaemonUnavailable>()(
  "DaemonUnavailable",
  { detail: Schema.String }
) {
  get fact() {
    return `pyro's workspaces cannot be reached: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Show its log: pyro daemon logs`
  }
}

/** A daemon of another version owns the workspaces. */
export class DaemonMismatch extends ContractError<DaemonMismatch>()(
  "DaemonMismatch",
  {
    running: Schema.String,
    own: Schema.String,
    detail: Schema.String
  }
) {
  get fact() {
    return `the daemon is pyro ${this.running}, and this is pyro ${this.own}: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Use that version, or replace the daemon (running commands go on): pyro daemon stop`
  }
}
