import { Schema } from "effect"
import { table } from "./names.ts"
import { snakeFields } from "./snake.ts"

const console = (tail: string) => tail === "" ? "" : `\nend of the guest's console:\n${tail}`

/** Steps in which a workspace's microVM is ended because somebody asked for it. */
const endings: ReadonlyArray<string> = ["stop", "reset", "delete"]

/** The microVM could not be started, restored or kept running, or was ended. */
export class VmFailed extends Schema.TaggedError<VmFailed>()(
  "VmFailed",
  snakeFields({
    step: Schema.String,
    detail: Schema.String,
    /** End of the guest's console log, empty when it said nothing. */
    consoleTail: Schema.String
  })
) {
  get code() {
    return "vm_failed" as const
  }
  get fact() {
    return this.isAsked ? this.detail : `the microVM failed (${this.step}): ${this.detail}${console(this.consoleTail)}`
  }
  /** Somebody had it ended: nothing is wrong with the host. */
  get isAsked() {
    return endings.includes(this.step)
  }
  override get message() {
    if (this.isAsked) return `${this.detail}; what ran in it ended with it`
    return `the microVM failed (${this.step}): ${this.detail}; check the host with: pyro doctor${
      console(this.consoleTail)
    }`
  }
}

export class GuestPanicked extends Schema.TaggedError<GuestPanicked>()(
  "GuestPanicked",
  snakeFields({
    detail: Schema.String,
    consoleTail: Schema.String
  })
) {
  get code() {
    return "guest_panicked" as const
  }
  override get message() {
    return `the guest's kernel panicked: ${this.detail}; what ran in it is lost, run it again${
      console(this.consoleTail)
    }`
  }
}

/**
 * The byte stream to the guest broke, or the guest broke its rules (`lost`); or the guest does not answer (`silent`). What was asked may
 * or may not have been done.
 */
export class ChannelFailed extends Schema.TaggedError<ChannelFailed>()(
  "ChannelFailed",
  snakeFields({
    detail: Schema.String,
    /** `silent`: the guest sends nothing, and its commands may run on. */
    reason: Schema.optional(Schema.Literal("lost", "silent"))
  })
) {
  /** Every code that this error has. */
  static readonly codes = ["channel_failed", "guest_silent"] as const
  get code(): (typeof ChannelFailed.codes)[number] {
    return this.reason === "silent" ? "guest_silent" : "channel_failed"
  }
  get fact() {
    return this.reason === "silent"
      ? `the guest does not answer: ${this.detail}; the request may have been carried out in part`
      : `lost the channel to the guest: ${this.detail}; the command may have run in part`
  }
  override get message() {
    return this.reason === "silent"
      ? `${this.fact}. Go back to the beginning with: pyro workspace reset. To keep the files: pyro workspace stop, then start`
      : `${this.fact}: run it again, in a workspace that is down after: pyro workspace start`
  }
}

/** What somebody looks for first where an environment without a compiler was chosen. */
const toolsOfBuildEnvironments = new Set([
  "make",
  "gcc",
  "g++",
  "cc",
  "c++",
  "pkg-config",
  "pip",
  "pip3",
  "node",
  "npm",
  "npx",
  "autoconf",
  "automake",
  "autoreconf",
  "libtoolize",
  "bison",
  "flex"
])

export class CommandNotFound extends Schema.TaggedError<CommandNotFound>()(
  "CommandNotFound",
  snakeFields({
    command: Schema.String
  })
) {
  get code() {
    return "command_not_found" as const
  }
  override get message() {
    const next = /\s/.test(this.command.trim())
      ? "give its words separately, or the whole as a script (--script)"
      : "check its name and the guest's PATH, or docs/dependencies.md for how dependencies get in"
    const where = toolsOfBuildEnvironments.has(this.command) ? "; debian:12-build and debian:13-build have it" : ""
    return `no command "${this.command}" in the guest; nothing ran, ${next}${where}`
  }
}

export class CommandNotExecutable extends Schema.TaggedError<CommandNotExecutable>()(
  "CommandNotExecutable",
  snakeFields({
    command: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "command_not_executable" as const
  }
  override get message() {
    return `"${this.command}" cannot be executed in the guest: ${this.detail}; nothing ran, check its mode and its interpreter`
  }
}

/** What to do next where asking again in the same way cannot help, by the step that failed. */
const correctionOf = table<string>({
  length: "write it to a file of the guest, or give it on stdin",
  user: "name a user of the guest: root, agent, a uid, or uid:gid",
  cwd: "name a directory of the guest that this user may enter",
  malformed: "correct it"
})

/** The command never started. */
export class CommandNotStarted extends Schema.TaggedError<CommandNotStarted>()(
  "CommandNotStarted",
  snakeFields({
    step: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "command_not_started" as const
  }
  override get message() {
    const correction = correctionOf[this.step]
    const next = correction === undefined ? "nothing ran, so trying again is safe" : `nothing ran; ${correction}`
    return `the command was not started (${this.step}): ${this.detail}; ${next}`
  }
}
