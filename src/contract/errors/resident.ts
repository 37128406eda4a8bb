import { Schema } from "effect"
import { count } from "../text/count.ts"
import { ContractError, didYouMean } from "./contract-error.ts"

/** The workspace has no shell of that id. */
export class ShellNotFound extends ContractError<ShellNotFound>()("ShellNotFound", {
  workspace: Schema.String,
  shellId: Schema.String
}, {
  fact: ({ workspace, shellId }) => `workspace ${workspace} has no shell ${shellId}`,
  next: ({ workspace }) => `List shells: pyro shell list ${workspace}`,
  steps: "call shell_list for the ids, or shell_open for a new shell"
}) {}

/** The workspace has as many open shells as it may have. Nothing was started. */
export class TooManyShells extends ContractError<TooManyShells>()("TooManyShells", {
  workspace: Schema.String,
  maxShells: Schema.Int
}, {
  fact: ({ workspace, maxShells }) => `workspace ${workspace} has ${maxShells} open shells, and may have no more`,
  next: ({ workspace }) => `List them: pyro shell list ${workspace}. Close one: pyro shell close ${workspace} SHELL_ID`,
  steps: "call shell_list, then shell_close for those that are not needed"
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
  next: ({ workspace }) => `Open another one: pyro shell open ${workspace}`,
  steps: "call shell_read for its last output, or shell_open for a new shell"
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
  next: ({ workspace, shellId }) =>
    `Type the rest later, or interrupt the program: pyro shell signal ${workspace} ${shellId} SIGINT`,
  steps: "call shell_read to see what the program does, then shell_write with keys [\"ctrl-c\"] to interrupt it"
}) {}

/** The workspace has no service of that name. */
export class ServiceNotFound extends ContractError<ServiceNotFound>()("ServiceNotFound", {
  workspace: Schema.String,
  service: Schema.String,
  /** Similar names. */
  similar: Schema.Array(Schema.String)
}, {
  fact: ({ service, similar, workspace }) => `workspace ${workspace} has no service "${service}"${didYouMean(similar)}`,
  next: ({ workspace }) => `List services: pyro service list ${workspace}`,
  steps: ["call service_list for the names", "use the name that you gave to service_start"]
}) {}

/** A service of that name runs already. Nothing was started. */
export class ServiceRunning extends ContractError<ServiceRunning>()("ServiceRunning", {
  workspace: Schema.String,
  service: Schema.String,
  state: Schema.String
}, {
  fact: ({ service, workspace, state }) =>
    `service "${service}" of workspace ${workspace} runs already: its state is ${state}. Nothing was started`,
  next: ({ workspace, service }) => `Choose another name, or stop it first: pyro service stop ${workspace} ${service}`,
  steps: [
    "use the running service, or choose another name. service_stop ends the running service",
    "use the running service, or choose another name"
  ]
}) {}

/** A service ended, was stopped, or was not ready in time before its start was complete. None of its processes is left. */
export class ServiceFailed extends ContractError<ServiceFailed>()("ServiceFailed", {
  workspace: Schema.String,
  service: Schema.String,
  detail: Schema.String,
  /** The last lines of its log; empty if it printed nothing. */
  outputTail: Schema.String
}, {
  fact: ({ outputTail, service, workspace, detail }) => {
    const said = outputTail === "" ? "It printed nothing" : `The end of its log:\n${outputTail}`
    return `service "${service}" of workspace ${workspace} is not running: ${detail}. ${said}`
  },
  message: ({ outputTail, fact, workspace, service }) =>
    outputTail === ""
      ? `${fact}. Correct its command, and start it again`
      : `${fact}\nAll of it: pyro service logs ${workspace} ${service}`,
  steps: "correct the command or the check, and call service_start again"
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
