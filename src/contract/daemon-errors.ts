import { Schema } from "effect"
import { snakeFields } from "./snake.ts"

export class DaemonUnavailable extends Schema.TaggedError<DaemonUnavailable>()(
  "DaemonUnavailable",
  snakeFields({ detail: Schema.String })
) {
  get code() {
    return "daemon_unavailable" as const
  }
  get fact() {
    return `pyro's workspaces cannot be reached: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Show its log: pyro daemon logs`
  }
}

/** A daemon of another version owns the workspaces. */
export class DaemonMismatch extends Schema.TaggedError<DaemonMismatch>()(
  "DaemonMismatch",
  snakeFields({
    running: Schema.String,
    own: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "daemon_mismatch" as const
  }
  get fact() {
    return `the daemon is pyro ${this.running}, and this is pyro ${this.own}: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Use that version, or replace the daemon (running commands go on): pyro daemon stop`
  }
}
