import { Schema } from "effect"
import { snakeFields } from "./snake.ts"

export class ShellNotFound extends Schema.TaggedError<ShellNotFound>()(
  "ShellNotFound",
  snakeFields({ workspace: Schema.String, shellId: Schema.String })
) {
  get code() {
    return "shell_not_found" as const
  }
  get fact() {
    return `workspace ${this.workspace} has no shell ${this.shellId}`
  }
  override get message() {
    return `${this.fact}. List shells: pyro shell list ${this.workspace}`
  }
}

/** The workspace has as many open shells as it may have. Nothing was started. */
export class TooManyShells extends Schema.TaggedError<TooManyShells>()(
  "TooManyShells",
  snakeFields({ workspace: Schema.String, maxShells: Schema.Int })
) {
  get code() {
    return "too_many_shells" as const
  }
  get fact() {
    return `workspace ${this.workspace} has ${this.maxShells} open shells, and may have no more`
  }
  override get message() {
    return `${this.fact}. List them: pyro shell list ${this.workspace}. Close one: pyro shell close ${this.workspace} SHELL_ID`
  }
}

/** The program of the shell has ended. Nothing was done. */
export class ShellEnded extends Schema.TaggedError<ShellEnded>()(
  "ShellEnded",
  snakeFields({
    workspace: Schema.String,
    shellId: Schema.String,
    /** How it ended, such as `exited with status 0`. */
    detail: Schema.String
  })
) {
  get code() {
    return "shell_ended" as const
  }
  get fact() {
    return `shell ${this.shellId} of workspace ${this.workspace} has ended: ${this.detail}. Its output stays readable`
  }
  override get message() {
    return `${this.fact}. Open another one: pyro shell open ${this.workspace}`
  }
}

/** The program reads no input, so the terminal took a part of it. */
export class ShellInputBlocked extends Schema.TaggedError<ShellInputBlocked>()(
  "ShellInputBlocked",
  snakeFields({
    workspace: Schema.String,
    shellId: Schema.String,
    /** Bytes that the terminal took. */
    writtenBytes: Schema.Int,
    /** Bytes of the whole input. */
    inputBytes: Schema.Int
  })
) {
  get code() {
    return "shell_input_blocked" as const
  }
  get fact() {
    return `the program of shell ${this.shellId} of workspace ${this.workspace} reads no input: the terminal took ${this.writtenBytes} of ${this.inputBytes} bytes`
  }
  override get message() {
    return `${this.fact}. Type the rest later, or interrupt the program: pyro shell signal ${this.workspace} ${this.shellId} SIGINT`
  }
}
