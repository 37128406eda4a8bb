import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { table } from "../text/names.ts"
import { ContractError, gone, nothingRan, UNDO } from "./contract-error.ts"

/** A part of a hint, for the workspace that the request named. Without one, there is no command to type. */
const ifKnown = (workspace: string | undefined, text: (name: string) => string) =>
  workspace === undefined ? "" : text(workspace)

const startFirst = (name: string) => `Start a failed workspace first: pyro start ${name}`

const console = (tail: string) => tail === "" ? "" : `\nend of the guest's console:\n${tail}`

/** Whether a request ended the microVM at this step: the host has no fault. */
const isRequested = (step: string) => ["stop", "reset", "delete"].includes(step)

/** Steps after the start of a microVM. The host can run one, so `pyro doctor` would find nothing. */
const laterSteps: ReadonlyArray<string> = ["attach", "exec", "run", "service"]
/** Steps of a microVM that only read a disk. */
const readingSteps: ReadonlyArray<string> = ["archive", "inspect", "map disk", "merge layers"]

const nextStep = (step: string, workspace: string | undefined) => {
  if (laterSteps.includes(step)) return `Run it again${ifKnown(workspace, (name) => `. ${startFirst(name)}`)}`
  return readingSteps.includes(step)
    ? "Ask again. If it fails again, the daemon's log has more: pyro daemon logs"
    : "Try again. If it fails again, check the host (pyro doctor) and the daemon's log (pyro daemon logs)"
}

/** The microVM could not be started, restored or kept running, or was ended. */
export class VmFailed extends ContractError<VmFailed>()("VmFailed", {
  step: Schema.String,
  detail: Schema.String,
  /** End of the guest's console log; empty if the guest printed nothing. */
  consoleTail: Schema.String,
  /** Name of the workspace, or its id if it has none, for the hint. Absent without a workspace. */
  workspace: optional(Schema.String)
}, {
  fact: ({ consoleTail, detail, step }) =>
    isRequested(step) ? detail : `the microVM failed (${step}): ${detail}${console(consoleTail)}`,
  message: ({ consoleTail, detail, step, workspace }) =>
    isRequested(step)
      ? `${detail}. Its commands ended with it`
      : `the microVM failed (${step}): ${detail}. ${nextStep(step, workspace)}${console(consoleTail)}`,
  steps: gone
}) {}

/** The kernel of the guest panicked. */
export class GuestPanicked extends ContractError<GuestPanicked>()("GuestPanicked", {
  detail: Schema.String,
  consoleTail: Schema.String,
  /** Name of the workspace, or its id if it has none, for the hint. Absent without a workspace. */
  workspace: optional(Schema.String)
}, {
  fact: ({ detail, consoleTail }) =>
    `the guest's kernel panicked: ${detail}. Its commands are lost. Run them again${console(consoleTail)}`,
  message: ({ consoleTail, detail, workspace }) =>
    `the guest's kernel panicked: ${detail}. Its commands are lost. Run them again${
      ifKnown(workspace, (name) => `. If a command broke the guest: pyro rewind ${name}`)
    }${console(consoleTail)}`,
  steps: gone
}) {}

/**
 * The connection to the guest broke, or the guest violated the protocol (`lost`), or the guest does not answer (`silent`). The outcome of
 * the request is unknown.
 */
export class ChannelFailed extends ContractError<ChannelFailed, "guest_silent">()("ChannelFailed", {
  detail: Schema.String,
  /** `silent`: the guest sends nothing, and its commands may still run. */
  reason: Schema.optional(Schema.Literals(["lost", "silent"])),
  /** Name of the workspace, or its id if it has none, for the hint. Absent without a workspace. */
  workspace: optional(Schema.String)
}, {
  fact: ({ detail, reason }) =>
    reason === "silent"
      ? `the guest does not answer: ${detail}. The request may be done in part`
      : `lost the channel to the guest: ${detail}. The command may have run in part`,
  message: ({ fact, reason, workspace }) =>
    reason === "silent"
      ? fact + ifKnown(
        workspace,
        (name) =>
          `. Keep the files: pyro stop ${name}, then pyro start ${name}. To undo the last command instead: ` +
          `pyro rewind ${name}. To discard all changes: pyro reset ${name}`
      )
      : `${fact}. Run it again${
        ifKnown(workspace, (name) => `. ${startFirst(name)}. If the command broke the guest: pyro rewind ${name}`)
      }`,
  steps: ({ reason }) =>
    reason !== "silent" ? gone : [
      `call workspace_stop and workspace_start: the files are kept. ${UNDO}`,
      `ask the user to stop and start the workspace: the files are kept. ${UNDO}`,
      "ask the user to stop and start the workspace: the files are kept"
    ]
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

/** For a model, in a guest without a shell. */
const PROGRAM_INSTEAD =
  "nothing ran; give a program of the environment by its path, with its arguments, in place of a script"

/** The guest has no such program. Nothing ran. */
export class CommandNotFound extends ContractError<CommandNotFound>()("CommandNotFound", {
  command: Schema.String,
  /** Name of the workspace, or its id if it has none, for the hint. Absent without a workspace. */
  workspace: optional(Schema.String)
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
  next: ({ command, workspace }) =>
    isShell(command)
      ? `Run a program of the environment by its path${
        ifKnown(
          workspace,
          (name) => `, such as: pyro exec ${name} -- /app. If a command removed the shell: pyro rewind ${name}`
        )
      }`
      : everywhere.has(command)
      ? workspace === undefined
        ? "Check the guest's PATH"
        : `If an earlier command removed it: pyro rewind ${workspace}. Otherwise check the guest's PATH`
      : /\s/.test(command.trim())
      ? "Give its words separately, or as a script: --script"
      : "Check its name and the guest's PATH, or install it (docs/dependencies.md)",
  steps: ({ command }) =>
    isShell(command)
      ? [
        `${PROGRAM_INSTEAD}; if a command removed the shell: ${UNDO}`,
        PROGRAM_INSTEAD
      ]
      : nothingRan
}) {}

/** The guest cannot execute the program. Nothing ran. */
export class CommandNotExecutable extends ContractError<CommandNotExecutable>()("CommandNotExecutable", {
  command: Schema.String,
  detail: Schema.String,
  /** Name of the workspace, or its id if it has none, for the hint. Absent without a workspace. */
  workspace: optional(Schema.String)
}, {
  fact: ({ command, detail }) =>
    `"${command}" cannot be executed in the guest: ${detail}. Nothing ran. Check its mode and its interpreter`,
  message: ({ fact, workspace }) =>
    fact + ifKnown(workspace, (name) => `. If an earlier command broke it: pyro rewind ${name}`),
  steps: nothingRan
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
  fact: ({ step, detail }) => {
    const correction = correctionOf[step]
    const next = correction ?? "Another attempt is safe"
    return `the command was not started (${step}): ${detail}. Nothing ran. ${next}`
  },
  steps: ({ step }) => {
    if (step === "length") {
      return ["write it with workspace_file_write and run that file, or pass it as stdin", "split the command"]
    }
    return step === "user" || step === "cwd"
      ? "nothing ran; name another one, or omit the argument"
      : nothingRan
  }
}) {}

export const guestErrors = [
  VmFailed,
  GuestPanicked,
  ChannelFailed,
  CommandNotFound,
  CommandNotExecutable,
  CommandNotStarted
] as const
