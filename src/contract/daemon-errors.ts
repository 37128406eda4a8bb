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
    return `${this.fact}; see: pyro daemon logs`
  }
}

/** A daemon of another version holds the workspaces. */
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
    return `the daemon is pyro ${this.running}, this is ${this.own}: ${this.detail}`
  }
  override get message() {
    return `${this.fact}; use that version, or replace it (running commands go on): pyro daemon stop`
  }
}
