import { Schema } from "effect"
import { ContractError } from "./contract-error.ts"
import { type ToolSteps } from "./tool-steps.ts"

/** The guest cannot have a network. Nothing ran in it. */
export class NetworkUnsupported extends ContractError<NetworkUnsupported>()(
  "NetworkUnsupported",
  {
    /** What the guest's kernel or agent lacks. */
    detail: Schema.String
  }
) {
  get fact() {
    return `the guest cannot have a network: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Use the network policy off: --network-policy off`
  }
  toolSteps(): ToolSteps {
    return "call again with network_policy off"
  }
}

/** The host cannot connect guests by this driver. Nothing was made. */
export class NetworkDriverUnavailable extends ContractError<NetworkDriverUnavailable>()(
  "NetworkDriverUnavailable",
  {
    /** Driver that was asked for. */
    driver: Schema.String,
    /** What the host lacks. */
    detail: Schema.String
  }
) {
  get fact() {
    return `the network driver ${this.driver} cannot be used here: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Use the default driver, without --network-driver`
  }
  toolSteps(): ToolSteps {
    return "only the user can fix this: the workspace was created with another network driver than this host has"
  }
}

/** The person who started the MCP server did not allow this network. Nothing was changed. */
export class NetworkAboveCeiling extends ContractError<NetworkAboveCeiling>()(
  "NetworkAboveCeiling",
  {
    /** Part of the request that is above the ceiling. */
    asked: Schema.String,
    /** The ceiling, as `pyro mcp serve --network-ceiling` takes it. */
    ceiling: Schema.String
  }
) {
  get fact() {
    return `${this.asked} is above the network ceiling of this server, which is ${this.ceiling}`
  }
  override get message() {
    return `${this.fact}. Raise the ceiling: pyro mcp serve --network-ceiling`
  }
  toolSteps(): ToolSteps {
    return "ask for less, or ask the user to raise the ceiling"
  }
}
