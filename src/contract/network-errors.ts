import { Schema } from "effect"
import { snakeFields } from "./snake.ts"

/** The guest cannot have a network. Nothing ran in it. */
export class NetworkUnsupported extends Schema.TaggedError<NetworkUnsupported>()(
  "NetworkUnsupported",
  snakeFields({
    /** What the guest's kernel or agent lacks. */
    detail: Schema.String
  })
) {
  get code() {
    return "network_unsupported" as const
  }
  get fact() {
    return `the guest cannot have a network: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Use the network policy off: --network-policy off`
  }
}

/** The host cannot connect guests by this driver. Nothing was made. */
export class NetworkDriverUnavailable extends Schema.TaggedError<NetworkDriverUnavailable>()(
  "NetworkDriverUnavailable",
  snakeFields({
    /** Driver that was asked for. */
    driver: Schema.String,
    /** What the host lacks. */
    detail: Schema.String
  })
) {
  get code() {
    return "network_driver_unavailable" as const
  }
  get fact() {
    return `the network driver ${this.driver} cannot be used here: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Use the default driver, without --network-driver`
  }
}

/** The person who started the MCP server did not allow this network. Nothing was changed. */
export class NetworkAboveCeiling extends Schema.TaggedError<NetworkAboveCeiling>()(
  "NetworkAboveCeiling",
  snakeFields({
    /** Part of the request that is above the ceiling. */
    asked: Schema.String,
    /** The ceiling, as `pyro mcp serve --network-ceiling` takes it. */
    ceiling: Schema.String
  })
) {
  get code() {
    return "network_above_ceiling" as const
  }
  get fact() {
    return `${this.asked} is above the network ceiling of this server, which is ${this.ceiling}`
  }
  override get message() {
    return `${this.fact}. Raise the ceiling: pyro mcp serve --network-ceiling`
  }
}
