import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { ContractError } from "./contract-error.ts"
import { call, command, option, words } from "./next-step.ts"

/** The guest cannot have a network. Nothing ran in it. */
export class NetworkUnsupported extends ContractError<NetworkUnsupported>()("NetworkUnsupported", {
  /** Feature that the guest's kernel or agent lacks. */
  detail: Schema.String
}, {
  fact: ({ detail }) => `the guest cannot have a network: ${detail}`,
  next: [option("Use no network", "network_policy", "off")]
}) {}

/** The person who started the MCP server did not allow this network. Nothing was changed. */
export class NetworkAboveCeiling extends ContractError<NetworkAboveCeiling>()("NetworkAboveCeiling", {
  /** Part of the request that is above the ceiling. */
  asked: Schema.String,
  /** The ceiling, as `pyro mcp serve --network-ceiling` takes it. */
  ceiling: Schema.String
}, {
  fact: ({ asked, ceiling }) => `${asked} is above the network ceiling of this server, which is ${ceiling}`,
  next: [
    words("Ask for less"),
    command("Or raise the ceiling", "pyro mcp serve --network-ceiling CEILING")
  ]
}) {}

const LAST_PORT = 65_535

/** Another listener of the host has the port. Nothing was published or started. */
export class PortInUse extends ContractError<PortInUse>()("PortInUse", {
  hostPort: Schema.Int,
  guestPort: Schema.Int,
  /** Id of the workspace that has the port; absent if another program has it. */
  workspace: optional(Schema.String)
}, {
  fact: ({ hostPort, workspace }) =>
    `port ${hostPort} of this host is already in use${workspace === undefined ? "" : ` by workspace ${workspace}`}`,
  next: ({ guestPort, hostPort }) => [
    option("Choose another port", "publish", `${hostPort === LAST_PORT ? hostPort - 1 : hostPort + 1}:${guestPort}`),
    option("Or let pyro choose", "publish", String(guestPort))
  ]
}) {}

/** The host refuses the port, such as a port below 1024 to an ordinary user. Nothing was published or started. */
export class PortUnavailable extends ContractError<PortUnavailable>()("PortUnavailable", {
  hostPort: Schema.Int,
  guestPort: Schema.Int,
  /** Answer of the host. */
  detail: Schema.String
}, {
  fact: ({ hostPort, detail }) => `this host refuses to listen on port ${hostPort}: ${detail}`,
  next: ({ guestPort }) => [option("Let pyro choose a free port", "publish", String(guestPort))]
}) {}

/** The guest port is already published in another way. Nothing was changed. */
export class PortAlreadyPublished extends ContractError<PortAlreadyPublished>()("PortAlreadyPublished", {
  workspace: Schema.String,
  guestPort: Schema.Int,
  hostPort: optional(Schema.Int),
  /** Service that the port belongs to; absent without one. */
  service: optional(Schema.String)
}, {
  fact: ({ hostPort, guestPort, workspace, service }) => {
    const where = hostPort === undefined ? "" : ` on 127.0.0.1:${hostPort}`
    return `port ${guestPort} of workspace ${workspace} is already published${where}${
      service === undefined ? "" : ` by the service ${service}`
    }`
  },
  next: ({ workspace, guestPort }) => [
    call("End that first", "workspace.port.unpublish", { workspace, guest_port: guestPort })
  ]
}) {}

/** The guest port is not published. */
export class PortNotPublished extends ContractError<PortNotPublished>()("PortNotPublished", {
  workspace: Schema.String,
  guestPort: Schema.Int,
  /** Guest ports that are published. */
  published: Schema.Array(Schema.Int)
}, {
  fact: ({ guestPort, workspace, published }) =>
    `port ${guestPort} of workspace ${workspace} is not published${
      published.length === 0 ? "; no port is" : `; published are ${published.join(", ")}`
    }`,
  next: ({ workspace }) => [call("List them", "workspace.port.list", { workspace })]
}) {}

/** A model may publish ports only where the person and the policy of the workspace allow it. Nothing was published. */
export class PublishingNotAllowed extends ContractError<PublishingNotAllowed>()("PublishingNotAllowed", {
  workspace: Schema.String,
  guestPort: Schema.Int,
  /** Who forbids it: the ceiling of the server, or the policy of the workspace. */
  reason: Schema.Literals(["ceiling", "policy"])
}, {
  fact: ({ guestPort, workspace, reason }) =>
    `port ${guestPort} of workspace ${workspace} may not be published: ${
      reason === "ceiling"
        ? "the network ceiling of this server has no published ports"
        : "the network policy of the workspace has no published ports"
    }`,
  next: ({ reason, workspace }) => [
    reason === "ceiling"
      ? command("Raise the ceiling", "pyro mcp serve --network-ceiling egress+published-ports")
      : call("Change the policy, with each present host", "workspace.network.set", {
        workspace,
        network_policy: "egress+published-ports"
      }, "allow_hosts")
  ]
}) {}

export const networkErrors = [
  NetworkUnsupported,
  NetworkAboveCeiling,
  PortInUse,
  PortUnavailable,
  PortAlreadyPublished,
  PortNotPublished,
  PublishingNotAllowed
] as const
