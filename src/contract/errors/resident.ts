import { Schema } from "effect"
import { count } from "../text/count.ts"
import { didYouMean } from "../text/similar.ts"
import { ContractError } from "./contract-error.ts"
import { call, option, words } from "./next-step.ts"

/** The workspace has no shell of that id. */
export class ShellNotFound extends ContractError<ShellNotFound>()("ShellNotFound", {
  workspace: Schema.String,
  shellId: Schema.String
}, {
  fact: ({ workspace, shellId }) => `workspace ${workspace} has no shell ${shellId}`,
  next: ({ workspace }) => [
    call("List shells", "workspace.shell.list", { workspace }),
    call("Or open a new one", "workspace.shell.open", { workspace })
  ]
}) {}

/** The workspace has as many open shells as it may have. Nothing was started. */
export class TooManyShells extends ContractError<TooManyShells>()("TooManyShells", {
  workspace: Schema.String,
  maxShells: Schema.Int
}, {
  fact: ({ workspace, maxShells }) => `workspace ${workspace} has ${maxShells} open shells, and may have no more`,
  next: ({ workspace }) => [
    call("List them", "workspace.shell.list", { workspace }),
    call("Close one", "workspace.shell.close", { workspace }, "shell_id")
  ]
}) {}

/** The program of the shell has ended. Nothing was done. */
export class ShellEnded extends ContractError<ShellEnded>()("ShellEnded", {
  workspace: Schema.String,
  shellId: Schema.String,
  /** How it ended, such as `exited with status 0`. */
  detail: Schema.String
}, {
  fact: ({ shellId, workspace, detail }) =>
    `shell ${shellId} of workspace ${workspace} has ended: ${detail}. Its output stays readable`,
  next: ({ shellId, workspace }) => [
    call("Open another one", "workspace.shell.open", { workspace }),
    call("Read its last output", "workspace.shell.read", { workspace, shell_id: shellId })
  ]
}) {}

/** The program reads no input, so the terminal took a part of it. */
export class ShellInputBlocked extends ContractError<ShellInputBlocked>()("ShellInputBlocked", {
  workspace: Schema.String,
  shellId: Schema.String,
  /** Bytes that the terminal took. */
  writtenBytes: Schema.Int,
  /** Bytes of the whole input. */
  inputBytes: Schema.Int
}, {
  fact: ({ shellId, workspace, writtenBytes, inputBytes }) =>
    `the program of shell ${shellId} of workspace ${workspace} reads no input: the terminal took ${writtenBytes} of ${
      count(inputBytes, "byte")
    }`,
  next: ({ workspace, shellId }) => [
    words("Type the rest later"),
    call("Or interrupt the program", "workspace.shell.signal", { workspace, shell_id: shellId, signal: "SIGINT" })
  ]
}) {}

/** The workspace has no service of that name. */
export class ServiceNotFound extends ContractError<ServiceNotFound>()("ServiceNotFound", {
  workspace: Schema.String,
  service: Schema.String,
  /** Similar names. */
  similar: Schema.Array(Schema.String)
}, {
  fact: ({ service, similar, workspace }) => `workspace ${workspace} has no service "${service}"${didYouMean(similar)}`,
  next: ({ workspace }) => [call("List services", "workspace.service.list", { workspace })]
}) {}

/** A service of that name runs already. Nothing was started. */
export class ServiceRunning extends ContractError<ServiceRunning>()("ServiceRunning", {
  workspace: Schema.String,
  service: Schema.String,
  state: Schema.String
}, {
  fact: ({ service, workspace, state }) =>
    `service "${service}" of workspace ${workspace} runs already: its state is ${state}. Nothing was started`,
  next: ({ workspace, service }) => [
    words("Choose another name"),
    call("Or stop it first", "workspace.service.stop", { workspace, name: service })
  ]
}) {}

/** A service ended, was stopped, or was not ready in time before its start was complete. None of its processes is left. */
export class ServiceFailed extends ContractError<ServiceFailed>()("ServiceFailed", {
  workspace: Schema.String,
  service: Schema.String,
  detail: Schema.String,
  /** The last lines of its log; empty if it printed nothing. */
  outputTail: Schema.String,
  /** Seconds that it had, if it was not ready in time. */
  readyTimeoutSeconds: Schema.optional(Schema.Number)
}, {
  fact: ({ outputTail, service, workspace, detail }) => {
    const said = outputTail === "" ? "It printed nothing" : `The end of its log:\n${outputTail}`
    return `service "${service}" of workspace ${workspace} is not running: ${detail}. ${said}`
  },
  next: ({ outputTail, readyTimeoutSeconds, service, workspace }) => [
    words("Correct its command, and start it again"),
    ...readyTimeoutSeconds === undefined
      ? []
      : [option(`Or give a slow one more than ${readyTimeoutSeconds} s`, "ready_timeout_seconds")],
    ...outputTail === ""
      ? []
      : [call("All of its log", "workspace.service.logs", { workspace, name: service })]
  ]
}) {}

export const residentErrors = [
  ShellNotFound,
  TooManyShells,
  ShellEnded,
  ShellInputBlocked,
  ServiceNotFound,
  ServiceRunning,
  ServiceFailed
] as const
