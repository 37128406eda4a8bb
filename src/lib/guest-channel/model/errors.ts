import { Schema } from "effect"
import { constants } from "node:os"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"

/** Remedy for a workspace's disk. */
export const DISK_HINTS = {
  EUCLEAN: "the file system of the workspace is damaged: reset the workspace",
  ENODEV: "nothing is mounted at /workspace any more: stop and start the workspace, or reset it"
}

const BROKE = "the guest broke the protocol"

export const violationText = (what: string) => `${BROKE}: ${what}`

/** Whether the guest has sent what no agent sends. It does so on every connection. */
export const brokeProtocol = ({ detail }: ChannelFailed) => detail.startsWith(BROKE)

/** The agent refused, or tried and failed: the channel still works. */
export class AgentCallFailed extends Schema.TaggedError<AgentCallFailed>()("AgentCallFailed", {
  /** Call or stream operation, such as `mount` or `read`. */
  operation: Schema.String,
  /** Name of the error number, such as `ENOENT`. */
  errno: Schema.String,
  /** The failed path or step; escaped text of the guest. */
  detail: Schema.String,
  /** Set if the agent could not take the rights of this request's user. */
  isUser: Schema.optional(Schema.Boolean)
}) {
  /** Remedy, if the workspace's disk is the cause. Damage concerns the whole disk. */
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

// Guest and host are both Linux on one architecture, so the host's table names the guest's numbers.
const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number as number, name]))
names.set(constants.errno.EAGAIN, "EAGAIN")
names.set(constants.errno.EOPNOTSUPP, "EOPNOTSUPP")
// Node's table lacks it: include/uapi/asm-generic/errno.h of Linux.
names.set(117, "EUCLEAN")

export const { EACCES, EEXIST, EFBIG, EINVAL, EISDIR, ELOOP, ENOENT, ENOEXEC, ENOTDIR, EXDEV } = constants.errno

/** Name of an error number of the guest, such as `ENOENT`. */
export const errnoName = (errno: number) => names.get(errno) ?? `errno ${errno}`
