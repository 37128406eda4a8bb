import { Schema } from "effect"
import { ContractError } from "./contract-error.ts"
import { type ToolSteps } from "./tool-steps.ts"

/** A configuration file of an agent host cannot be read or changed. Nothing was written. */
export class HostFileUnusable extends ContractError<HostFileUnusable>()(
  "HostFileUnusable",
  {
    host: Schema.String,
    path: Schema.String,
    detail: Schema.String
  }
) {
  get fact() {
    return `${this.path} of ${this.host} cannot be used: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Nothing was written. Correct the file, or print the entry: pyro host print-config ${this.host}`
  }
  toolSteps(): ToolSteps {
    return "only the user can fix this"
  }
}

/** An agent has no key. Nothing was made. */
export class AgentKeyMissing extends ContractError<AgentKeyMissing>()(
  "AgentKeyMissing",
  {
    agent: Schema.String,
    /** Variables of which one would do. */
    variables: Schema.Array(Schema.String)
  }
) {
  get fact() {
    return `${this.agent} needs a key, and the environment has none: ${this.variables.join(", ")}`
  }
  override get message() {
    return `${this.fact}. Nothing was made. Set one, which stays on the host: export ${this.variables[0]}=…`
  }
  toolSteps(): ToolSteps {
    return "only the user can fix this"
  }
}

/** An agent host has another entry for pyro. Nothing was written. */
export class HostEntryDiffers extends ContractError<HostEntryDiffers>()(
  "HostEntryDiffers",
  {
    host: Schema.String,
    path: Schema.String,
    /** Keys of the entry that differ. */
    keys: Schema.Array(Schema.String),
    /** The change that `--force` makes, as a patch. */
    diff: Schema.String
  }
) {
  get fact() {
    return `${this.host} has another entry for pyro in ${this.path}: ${
      this.keys.join(", ")
    } would change\n${this.diff.trimEnd()}`
  }
  override get message() {
    return `${this.fact}\nMake this change: run the command again with --force`
  }
  toolSteps(): ToolSteps {
    return "only the user can fix this"
  }
}
