import { Schema } from "effect"
import { ContractError } from "./contract-error.ts"

/** A devcontainer.json cannot become a workspace. */
export class DevContainerRefused extends ContractError<DevContainerRefused>()("DevContainerRefused", {
  /** The file, or the directory without one. */
  path: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, path }) => `${path}: ${detail}`,
  steps: "only the user can fix the project's devcontainer.json; create a workspace without it"
}) {}

/** A command of a devcontainer.json failed in the new workspace. pyro deleted that workspace. */
export class DevContainerCommandFailed extends ContractError<DevContainerCommandFailed>()("DevContainerCommandFailed", {
  /** The property, with the command's own name if it has one: `postCreateCommand`, `postCreateCommand.npm`. */
  command: Schema.String,
  /** How it ended, such as `exit status 1`. */
  ended: Schema.String,
  /** Its last lines. */
  output: Schema.String
}, {
  fact: ({ command, ended, output }) =>
    `${command} failed (${ended}), and no workspace was kept${output === "" ? "" : `. Its last lines:\n${output}\n`}`,
  message: ({ fact }) =>
    `${
      fact.endsWith("\n") ? fact : `${fact}. `
    }A command that needs the network needs --allow-host. To run it yourself: --skip-commands`,
  steps: "tell the user the last lines; create the workspace without its commands"
}) {}

export const devContainerErrors = [DevContainerRefused, DevContainerCommandFailed] as const
