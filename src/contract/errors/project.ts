import { Schema } from "effect"
import { oneLine, someLines } from "../text/one-line.ts"
import { printable } from "../text/printable.ts"
import { ContractError } from "./contract-error.ts"
import { call, command, words } from "./next-step.ts"

/** Maximum phrases of a file in an error. `pyro up --dry-run` shows all. */
const MOST_ASKS = 40

/** No directory around has a project's file. Nothing was done. */
export class ProjectFileMissing extends ContractError<ProjectFileMissing>()("ProjectFileMissing", {
  /** Directory in which the search began. */
  directory: Schema.String
}, {
  fact: ({ directory }) => `${directory} has no pyro.toml, and no "pyro" in a package.json`,
  next: [words("Write one, with a line such as environment = \"debian:12\"")]
}) {}

/** The file of a project cannot be used. Nothing was done. */
export class ProjectFileInvalid extends ContractError<ProjectFileInvalid>()("ProjectFileInvalid", {
  path: Schema.String,
  /** Line of the fault. Absent if the fault has none. */
  line: Schema.optional(Schema.Int),
  /** Key of the fault, with dots between the tables. Absent if the fault has none. */
  key: Schema.optional(Schema.String),
  detail: Schema.String
}, {
  fact: ({ detail, key, line, path }) =>
    printable(`${path}${line === undefined ? "" : `:${line}`}: ${key === undefined ? "" : `${key}: `}${detail}`),
  next: [words("Correct the file")]
}) {}

/** The file of a project asks for what the person has not granted. Nothing was done. */
export class ProjectNotAccepted extends ContractError<ProjectNotAccepted>()("ProjectNotAccepted", {
  path: Schema.String,
  /** What the file asks for, one phrase each. */
  asks: Schema.Array(Schema.String)
}, {
  fact: ({ asks, path }) =>
    `${oneLine(path)} asks for what you have not granted:\n${
      someLines(asks, MOST_ASKS).map((ask) => `  ${ask}\n`).join("")
    }`,
  next: [command("Grant all of it", "pyro up --yes")]
}) {}

/** A secret of a project's file has no value here. Nothing was done. */
export class ProjectSecretMissing extends ContractError<ProjectSecretMissing>()("ProjectSecretMissing", {
  path: Schema.String,
  names: Schema.Array(Schema.String)
}, {
  fact: ({ names, path }) => `${path} names secrets that the environment does not have: ${names.join(", ")}`,
  next: ({ names }) => [command("Set each, which stays on the host", `export ${names[0]}=…`)]
}) {}

/** A setup command of a project failed. The workspace stays. */
export class ProjectSetupFailed extends ContractError<ProjectSetupFailed>()("ProjectSetupFailed", {
  workspace: Schema.String,
  command: Schema.String,
  /** How the command ended, such as `status 1`. */
  ending: Schema.String
}, {
  fact: ({ command, ending, workspace }) =>
    printable(`the setup command "${oneLine(command, 200)}" of ${workspace} ended with ${ending}`),
  next: ({ workspace }) => [
    call("The workspace stays, so look into it", "workspace.exec", { workspace }),
    command("Run the setup commands again, from this one on", "pyro up")
  ]
}) {}

export const projectErrors = [
  ProjectFileMissing,
  ProjectFileInvalid,
  ProjectNotAccepted,
  ProjectSecretMissing,
  ProjectSetupFailed
] as const
