import { Schema } from "effect"
import { table } from "../text/names.ts"
import { ContractError, startFirst, undo } from "./contract-error.ts"
import { call, type NextStep, option, words } from "./next-step.ts"

const console = (tail: string) => tail === "" ? "" : `\nend of the guest's console:\n${tail}`

/** Whether a request ended the microVM at this step: the host has no fault. */
const isRequested = (step: string) => ["stop", "reset", "delete"].includes(step)

/** Steps after the start of a microVM. The host can run one, so `pyro doctor` would find nothing. */
const laterSteps: ReadonlyArray<string> = ["attach", "exec", "run", "service"]
/** Steps of a microVM that only read a disk. */
const readingSteps: ReadonlyArray<string> = ["archive", "inspect", "map disk", "merge layers"]

const nextSteps = (step: string): ReadonlyArray<NextStep> => {
  if (laterSteps.includes(step)) return [words("Run it again"), startFirst]
  const log = call("If it fails again, the daemon's log has more", "daemon.logs")
  return readingSteps.includes(step)
    ? [words("Ask again"), log]
    : [words("Try again"), call("If it fails again, check the host", "doctor"), log]
}

/** The microVM could not be started, restored or kept running, or was ended. */
export class VmFailed extends ContractError<VmFailed>()("VmFailed", {
  step: Schema.String,
  detail: Schema.String,
  /** End of the guest's console log; empty if the guest printed nothing. */
  consoleTail: Schema.String
}, {
  fact: ({ consoleTail, detail, step }) =>
    isRequested(step)
      ? `${detail}. Its commands ended with it`
      : `the microVM failed (${step}): ${detail}${console(consoleTail)}`,
  next: ({ step }) => isRequested(step) ? [] : nextSteps(step)
}) {}

/** The kernel of the guest panicked. */
export class GuestPanicked extends ContractError<GuestPanicked>()("GuestPanicked", {
  detail: Schema.String,
  consoleTail: Schema.String
}, {
  fact: ({ detail, consoleTail }) =>
    `the guest's kernel panicked: ${detail}. Its commands are lost${console(consoleTail)}`,
  next: [words("Run them again"), undo()]
}) {}

/**
 * The connection to the guest broke, or the guest violated the protocol (`lost`), or the guest does not answer (`silent`). The outcome of
 * the request is unknown.
 */
export class ChannelFailed extends ContractError<ChannelFailed, "guest_silent">()("ChannelFailed", {
  detail: Schema.String,
  /** `silent`: the guest sends nothing, and its commands may still run. */
  reason: Schema.optional(Schema.Literals(["lost", "silent"]))
}, {
  fact: ({ detail, reason }) =>
    reason === "silent"
      ? `the guest does not answer: ${detail}. The request may be done in part`
      : `lost the channel to the guest: ${detail}. The command may have run in part`,
  next: ({ reason }) =>
    reason === "silent"
      ? [
        call("Stop it, and start it again: the files are kept", "workspace.stop"),
        undo("To undo the last command instead"),
        call("To discard all changes", "workspace.reset")
      ]
      : [words("Run it again"), startFirst, undo()]
}) {
  /** All codes of this error. */
  static readonly codes = ["channel_failed", "guest_silent"] as const
  override get code(): (typeof ChannelFailed.codes)[number] {
    return this.reason === "silent" ? "guest_silent" : "channel_failed"
  }
}

/** Commands of `debian:12-build` and `debian:13-build` that `debian:12` lacks. */
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

/** Programs that every environment of pyro has, so that their absence is a command's work. */
const everywhere = new Set([
  "bash",
  "cat",
  "chmod",
  "cp",
  "env",
  "find",
  "grep",
  "ls",
  "mkdir",
  "mv",
  "rm",
  "sed",
  "tar"
])

/** Whether a program is the shell that scripts and terminals start. */
const isShell = (command: string) => command === "/bin/sh" || command === "sh"

/** The guest has no such program. Nothing ran. */
export class CommandNotFound extends ContractError<CommandNotFound>()("CommandNotFound", {
  command: Schema.String
}, {
  fact: ({ command }) => {
    if (isShell(command)) return `the guest has no shell (${command}), which a script and a terminal need. Nothing ran`
    const where = toolsOfBuildEnvironments.has(command)
      ? ". debian:12-build and debian:13-build have it"
      : command === "docker"
      ? ". debian:13-docker has it"
      : ""
    return `no command "${command}" in the guest. Nothing ran${where}`
  },
  next: ({ command }) =>
    isShell(command)
      ? [
        words("Run a program of the environment by its path, with its arguments, in place of a script"),
        undo("If a command removed the shell, undo it")
      ]
      : everywhere.has(command)
      ? [undo("If an earlier command removed it, undo it"), words("Otherwise check the guest's PATH")]
      : /\s/.test(command.trim())
      ? [words("Give its words separately"), option("Or give it as a script", "script", command)]
      : [words("Check its name and the guest's PATH, or install it")]
}) {}

/** The guest cannot execute the program. Nothing ran. */
export class CommandNotExecutable extends ContractError<CommandNotExecutable>()("CommandNotExecutable", {
  command: Schema.String,
  detail: Schema.String
}, {
  fact: ({ command, detail }) => `"${command}" cannot be executed in the guest: ${detail}. Nothing ran`,
  next: [
    words("Check its mode and its interpreter"),
    undo("If an earlier command broke it, undo it")
  ]
}) {}

/** Next step after an error that another attempt repeats, by the failed step. */
const correctionOf = table<string>({
  length: "Write it to a file of the guest, or pass it on stdin",
  user: "Name root, a user of the guest's /etc/passwd, a uid such as 1000, or uid:gid such as 1000:1000",
  cwd: "Name a directory of the guest that this user may enter",
  malformed: "Correct it"
})

/** The command never started. */
export class CommandNotStarted extends ContractError<CommandNotStarted>()("CommandNotStarted", {
  step: Schema.String,
  detail: Schema.String
}, {
  fact: ({ step, detail }) => `the command was not started (${step}): ${detail}. Nothing ran`,
  next: ({ step }) => [words(correctionOf[step] ?? "Another attempt is safe")]
}) {}

export const guestErrors = [
  VmFailed,
  GuestPanicked,
  ChannelFailed,
  CommandNotFound,
  CommandNotExecutable,
  CommandNotStarted
] as const
