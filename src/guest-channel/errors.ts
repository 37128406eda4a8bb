import { Schema } from "effect"

/** Remedy for a workspace's disk. */
export const DISK_HINTS = {
  EUCLEAN: "the file system of the workspace is damaged: reset the workspace",
  ENODEV: "nothing is mounted at /workspace any more: stop and start the workspace, or reset it"
}

/** The agent refused, or tried and failed: an ordinary "no" of the guest's kernel, the channel is well. */
export class AgentCallFailed extends Schema.TaggedError<AgentCallFailed>()("AgentCallFailed", {
  /** Call or stream operation, such as `mount` or `read`. */
  operation: Schema.String,
  /** Name of the error number, such as `ENOENT`. */
  errno: Schema.String,
  /** What failed, a path or a step; escaped text of the guest. */
  detail: Schema.String
}) {
  /** Remedy, if the workspace's disk is the cause. Damage concerns the whole disk, whatever the path. */
  get hint() {
    if (this.errno === "EUCLEAN") return DISK_HINTS.EUCLEAN
    return this.errno === "ENODEV" && this.detail === "/workspace" ? DISK_HINTS.ENODEV : undefined
  }
  override get message() {
    return `the guest's agent could not ${this.operation}: ${this.errno}${
      this.detail === "" ? "" : ` (${this.detail})`
    }${this.hint === undefined ? "" : `; ${this.hint}`}`
  }
}
