import { Schema } from "effect"

/** The agent refused, or tried and failed: an ordinary "no" of the guest's kernel, the channel is well. */
export class AgentCallFailed extends Schema.TaggedError<AgentCallFailed>()("AgentCallFailed", {
  /** Call or stream operation, such as `mount` or `read`. */
  operation: Schema.String,
  /** Name of the error number, such as `ENOENT`. */
  errno: Schema.String,
  /** What failed, a path or a step; escaped text of the guest. */
  detail: Schema.String
}) {
  override get message() {
    return `the guest's agent could not ${this.operation}: ${this.errno}${
      this.detail === "" ? "" : ` (${this.detail})`
    }`
  }
}
