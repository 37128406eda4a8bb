import { Schema } from "effect"
import { ContractError } from "./contract-error.ts"
import { type ToolSteps } from "./tool-steps.ts"

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
  toolSteps(): ToolSteps {
    return "call again once; if that fails, ask the user to run: pyro daemon logs"
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
  toolSteps(): ToolSteps {
    return "only the user can fix this: pyro daemon stop"
  }
}
