import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { parseArchive } from "../text/image-archive.ts"
import { parseReference } from "../text/image-reference.ts"
import { nameLine, oneLine } from "../text/one-line.ts"
import { printable } from "../text/printable.ts"
import { didYouMean } from "../text/similar.ts"
import { ContractError } from "./contract-error.ts"
import { call, option, words } from "./next-step.ts"

/** No environment has the name. */
export class EnvironmentUnknown extends ContractError<EnvironmentUnknown>()("EnvironmentUnknown", {
  environment: Schema.String,
  known: Schema.Array(Schema.String),
  /** Similar names. */
  similar: Schema.Array(Schema.String),
  /** File that names the environment, as localhost/NAME. Absent if the request names it. */
  path: optional(Schema.String),
  /** Line of the file. Absent if the file is no Dockerfile. */
  line: optional(Schema.Int)
}, {
  fact: ({ environment, known, line, path, similar }) => {
    const list = `Known environments: ${known.join(", ")}${
      didYouMean(path === undefined ? similar : similar.map((name) => `localhost/${name}`))
    }`
    if (path === undefined) return `no environment "${environment}". ${list}`
    const place = `${oneLine(path)}${line === undefined ? "" : `:${line}`}`
    return printable(
      `${place} names localhost/${nameLine(environment)}, and this host has no such environment. ${list}`
    )
  },
  next: ({ environment, path }) => {
    if (path !== undefined) return [words("Let the file name a known one with localhost/ before it, or another image")]
    const reference = (parseReference(environment) ?? parseArchive(environment))?.name
    return reference === undefined
      ? [call("List them", "env.list")]
      : [call("Pull the image", "env.pull", { environment: reference })]
  }
}) {}

/** apt's messages about unknown packages: another attempt fails as well. */
const isNoPackage = (detail: string) => /Unable to locate package|has no installation candidate/.test(detail)

/** The environment could not be built. Nothing was kept. */
export class EnvironmentBuildFailed extends ContractError<EnvironmentBuildFailed>()("EnvironmentBuildFailed", {
  environment: Schema.String,
  /** Step that failed, such as `bootstrap` or `image`. */
  step: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, environment, step }) =>
    `environment ${environment} was not built (${step}): ${detail}. No partial image was kept`,
  next: ({ detail, step }) => [
    words(
      isNoPackage(detail)
        ? "Use the package names of the Debian release"
        : step === "dockerfile"
        ? "Correct the step, or try again"
        : "Try again"
    )
  ]
}) {}

/** Another environment of the user has the name. */
export class EnvironmentNameTaken extends ContractError<EnvironmentNameTaken>()("EnvironmentNameTaken", {
  environment: Schema.String,
  /** Description of the environment that has the name. */
  is: Schema.String
}, {
  fact: ({ environment, is }) => `the name "${environment}" belongs to ${is}`,
  next: [words("Choose another name"), option("Or replace that environment", "replace", true)]
}) {}

/** A cached file (image, kernel, template, layer) differs from what pyro wrote. */
export class ImageDamaged extends ContractError<ImageDamaged>()("ImageDamaged", {
  path: Schema.String,
  detail: Schema.String
}, {
  fact: ({ path, detail }) => `${path} is damaged: ${detail}`,
  next: [call("Remove it, and pyro builds it again", "env.rm", {}, "environments")]
}) {}

export const environmentErrors = [
  EnvironmentUnknown,
  EnvironmentBuildFailed,
  EnvironmentNameTaken,
  ImageDamaged
] as const
