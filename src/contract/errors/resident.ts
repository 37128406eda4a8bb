import { Schema } from "effect"
import { ContractError, type ToolSteps } from "./contract-error.ts"

export class ShellNotFound extends ContractError<ShellNotFound>()(
  "ShellNotFound",
  { workspace: Schema.String, shellId: Schema.String }
) {
  get fact() {
    return `workspace ${this.workspace} has no shell ${this.shellId}`
  }
  override get message() {
    return `${this.fact}. List shells: pyro shell list ${this.workspace}`
  }
  toolSteps(): ToolSteps {
    return "call shell_list for the ids, or shell_open for a new shell"
  }
}

/** The workspace has as many open shells as it may have. Nothing was started. */
export class TooManyShells extends ContractError<TooManyShells>()(
  "TooManyShells",
  { workspace: Schema.String, maxShells: Schema.Int }
) {
  get fact() {
    return `workspace ${this.workspace} has ${this.maxShells} open shells, and may have no more`
  }
  override get message() {
    return `${this.fact}. List them: pyro shell list ${this.workspace}. Close one: pyro shell close ${this.workspace} SHELL_ID`
  }
  toolSteps(): ToolSteps {
    return "call shell_list, then shell_close for those that are not needed"
  }
}

/** The program of the shell has ended. Nothing was done. */
export class ShellEnded extends ContractError<ShellEnded>()(
  "ShellEnded",
  {
    workspace: Schema.String,
    shellId: Schema.String,
    /** How it ended, such as `exited with status 0`. */
    detail: Schema.String
  }
) {
  get fact() {
    return `shell ${this.shellId} of workspace ${this.workspace} has ended: ${this.detail}. Its output stays readable`
  }
  override get message() {
    return `${this.fact}. Open another one: pyro shell open ${this.workspace}`
  }
  toolSteps(): ToolSteps {
    return "call shell_read for its last output, or shell_open for a new shell"
  }
}

/** The program reads no input, so the terminal took a part of it. */
export class ShellInputBlocked extends ContractError<ShellInputBlocked>()(
  "ShellInputBlocked",
  {
    workspace: Schema.String,
    shellId: Schema.String,
    /** Bytes that the terminal took. */
    writtenBytes: Schema.Int,
    /** Bytes of the whole input. */
    inputBytes: Schema.Int
  }
) {
  get fact() {
    return `the program of shell ${this.shellId} of workspace ${this.workspace} reads no input: the terminal took ${this.writtenBytes} of ${this.inputBytes} bytes`
  }
  override get message() {
    return `${this.fact}. Type the rest later, or interrupt the program: pyro shell signal ${this.workspace} ${this.shellId} SIGINT`
  }
  toolSteps(): ToolSteps {
    return "call shell_read to see what the program does, then shell_write with keys [\"ctrl-c\"] to interrupt it"
  }
}

/** The workspace has no service of that name. */
export class ServiceNotFound extends ContractError<ServiceNotFound>()(
  "ServiceNotFound",
  {
    workspace: Schema.String,
    service: Schema.String,
    /** Similar names. */
    similar: Schema.Array(Schema.String)
  }
) {
  get fact() {
    const { similar } = this
    return `workspace ${this.workspace} has no service "${this.service}"${
      similar.length === 0 ? "" : `. Did you mean ${similar.join(" or ")}?`
    }`
  }
  override get message() {
    return `${this.fact}${this.similar.length === 0 ? "." : ""} List services: pyro service list ${this.workspace}`
  }
  toolSteps(): ToolSteps {
    return ["call service_list for the names", "use the name that you gave to service_start"]
  }
}

/** A service of that name runs already. Nothing was started. */
export class ServiceRunning extends ContractError<ServiceRunning>()(
  "ServiceRunning",
  {
    workspace: Schema.String,
    service: Schema.String,
    state: Schema.String
  }
) {
  get fact() {
    return `service "${this.service}" of workspace ${this.workspace} runs already: its state is ${this.state}. Nothing was started`
  }
  override get message() {
    return `${this.fact}. Choose another name, or stop it first: pyro service stop ${this.workspace} ${this.service}`
  }
  toolSteps(): ToolSteps {
    return [
      "use the running service, or choose another name. service_stop ends the running service",
      "use the running service, or choose another name"
    ]
  }
}

/** A service ended, was stopped, or was not ready in time before its start was complete. None of its processes is left. */
export class ServiceFailed extends ContractError<ServiceFailed>()(
  "ServiceFailed",
  {
    workspace: Schema.String,
    service: Schema.String,
    detail: Schema.String,
    /** The last lines of its log; empty if it printed nothing. */
    outputTail: Schema.String
  }
) {
  get fact() {
    const said = this.outputTail === "" ? "It printed nothing" : `The end of its log:\n${this.outputTail}`
    return `service "${this.service}" of workspace ${this.workspace} is not running: ${this.detail}. ${said}`
  }
  override get message() {
    return this.outputTail === ""
      ? `${this.fact}. Correct its command, and start it again`
      : `${this.fact}\nAll of it: pyro service logs ${this.workspace} ${this.service}`
  }
  toolSteps(): ToolSteps {
    return "correct the command or the check, and call service_start again"
  }
}
