import { Schema } from "effect"
import { ContractError, type ToolSteps } from "./contract-error.ts"

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

/** A message between a program and its daemon that its receiver cannot read. Both are one build, so this is a defect of pyro. */
export class MessageUnreadable extends ContractError<MessageUnreadable>()(
  "MessageUnreadable",
  {
    /** Name of the operation. */
    operation: Schema.String,
    detail: Schema.String
  }
) {
  get fact() {
    return `${this.operation}: a message between pyro and its daemon cannot be read: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Look at what is there, and ask again; if that fails, replace the daemon (running commands go on): pyro daemon stop`
  }
  toolSteps(): ToolSteps {
    return "look at what is there and call again once; if that fails, ask the user to run: pyro daemon stop"
  }
}
