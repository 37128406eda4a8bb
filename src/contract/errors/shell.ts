import { Schema } from "effect"
import { ContractError } from "./contract-error.ts"
import { type ToolSteps } from "./tool-steps.ts"

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
