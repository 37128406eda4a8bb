import { Schema } from "effect"
import { ContractError } from "./contract-error.ts"
import { option, words } from "./next-step.ts"

/** A devcontainer.json cannot become a workspace. */
export class DevContainerRefused extends ContractError<DevContainerRefused>()("DevContainerRefused", {
  /** The file, or the directory without one. */
  path: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, path }) => `${path}: ${detail}`,
  next: [words("Correct the file, or create the workspace without it")]
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
  next: [
    option("Allow the hosts that the command needs", "allow_hosts"),
    option("Or leave the commands out, and run them yourself", "skip_commands", true)
  ]
}) {}

export const devContainerErrors = [DevContainerRefused, DevContainerCommandFailed] as const
