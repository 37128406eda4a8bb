import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { ContractError, type ToolSteps } from "./contract-error.ts"

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

/** Another listener of the host has the port. Nothing was published or started. */
export class PortInUse extends ContractError<PortInUse>()(
  "PortInUse",
  {
    hostPort: Schema.Int,
    guestPort: Schema.Int,
    /** Id of the workspace that has the port; absent if another program has it. */
    workspace: optional(Schema.String)
  }
) {
  get fact() {
    return `port ${this.hostPort} of this host is already in use${
      this.workspace === undefined ? "" : ` by workspace ${this.workspace}`
    }`
  }
  override get message() {
    return `${this.fact}. Choose another port, such as ${
      this.hostPort + 1
    }:${this.guestPort}, or name the guest port alone: ${this.guestPort}`
  }
  toolSteps(): ToolSteps {
    return "call again with the guest port alone, for a free port of the host"
  }
}

/** The host refuses the port, such as a port below 1024 to an ordinary user. Nothing was published or started. */
export class PortUnavailable extends ContractError<PortUnavailable>()(
  "PortUnavailable",
  {
    hostPort: Schema.Int,
    guestPort: Schema.Int,
    /** Answer of the host. */
    detail: Schema.String
  }
) {
  get fact() {
    return `this host refuses to listen on port ${this.hostPort}: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Name the guest port alone for a free port: ${this.guestPort}`
  }
  toolSteps(): ToolSteps {
    return "call again with the guest port alone, for a free port of the host"
  }
}

/** The guest port is already published in another way. Nothing was changed. */
export class PortAlreadyPublished extends ContractError<PortAlreadyPublished>()(
  "PortAlreadyPublished",
  {
    workspace: Schema.String,
    guestPort: Schema.Int,
    hostPort: optional(Schema.Int),
    /** Service that the port belongs to; absent without one. */
    service: optional(Schema.String)
  }
) {
  get fact() {
    const where = this.hostPort === undefined ? "" : ` on 127.0.0.1:${this.hostPort}`
    return `port ${this.guestPort} of workspace ${this.workspace} is already published${where}${
      this.service === undefined ? "" : ` by the service ${this.service}`
    }`
  }
  override get message() {
    return `${this.fact}. End that first: pyro port unpublish ${this.workspace} ${this.guestPort}`
  }
  toolSteps(): ToolSteps {
    return ["use that port. port_unpublish ends it", "use that port"]
  }
}

/** The guest port is not published. */
export class PortNotPublished extends ContractError<PortNotPublished>()(
  "PortNotPublished",
  {
    workspace: Schema.String,
    guestPort: Schema.Int,
    /** Guest ports that are published. */
    published: Schema.Array(Schema.Int)
  }
) {
  get fact() {
    return `port ${this.guestPort} of workspace ${this.workspace} is not published${
      this.published.length === 0 ? "; no port is" : `; published are ${this.published.join(", ")}`
    }`
  }
  override get message() {
    return `${this.fact}. List them: pyro port list ${this.workspace}`
  }
  toolSteps(): ToolSteps {
    return ["call workspace_status for the published ports", "name another port"]
  }
}

/** A model may publish ports only where the person and the policy of the workspace allow it. Nothing was published. */
export class PublishingNotAllowed extends ContractError<PublishingNotAllowed>()(
  "PublishingNotAllowed",
  {
    workspace: Schema.String,
    guestPort: Schema.Int,
    /** Who forbids it: the ceiling of the server, or the policy of the workspace. */
    reason: Schema.Literals(["ceiling", "policy"])
  }
) {
  get fact() {
    return `port ${this.guestPort} of workspace ${this.workspace} may not be published: ${
      this.reason === "ceiling"
        ? "the network ceiling of this server has no published ports"
        : "the network policy of the workspace has no published ports"
    }`
  }
  override get message() {
    return this.reason === "ceiling"
      ? `${this.fact}. Raise the ceiling: pyro mcp serve --network-ceiling egress+published-ports`
      : `${this.fact}. Change the policy: pyro network set ${this.workspace} --network-policy egress+published-ports --allow-host HOST, with each present host`
  }
  toolSteps(): ToolSteps {
    return this.reason === "ceiling"
      ? "only the user can allow this"
      : [
        "call workspace_network_set with network_policy egress+published-ports and the present allow_hosts (workspace_status), then repeat the call",
        "only the user can allow this"
      ]
  }
}
