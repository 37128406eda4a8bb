import { Schema } from "effect"
import { ContractError } from "./contract-error.ts"
import { type ToolSteps } from "./tool-steps.ts"

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
