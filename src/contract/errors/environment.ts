import { Schema } from "effect"
import { ContractError, type ToolSteps } from "./contract-error.ts"

export class EnvironmentUnknown extends ContractError<EnvironmentUnknown>()(
  "EnvironmentUnknown",
  {
    environment: Schema.String,
    known: Schema.Array(Schema.String)
  }
) {
  get fact() {
    return `no environment "${this.environment}". Known environments: ${this.known.join(", ")}`
  }
  override get message() {
    return `${this.fact}. List them: pyro env list`
  }
  toolSteps(): ToolSteps {
    return `use one of ${this.known.join(", ")}`
  }
}

/** apt's messages about unknown packages: another attempt fails as well. */
const isNoPackage = (detail: string) => /Unable to locate package|has no installation candidate/.test(detail)

export class EnvironmentBuildFailed extends ContractError<EnvironmentBuildFailed>()(
  "EnvironmentBuildFailed",
  {
    environment: Schema.String,
    /** Step that failed, such as `bootstrap` or `image`. */
    step: Schema.String,
    detail: Schema.String
  }
) {
  override get message() {
    const next = isNoPackage(this.detail)
      ? "Use the package names of the Debian release"
      : "Try again"
    return `environment ${this.environment} was not built (${this.step}): ${this.detail}. No partial image was kept. ${next}`
  }
  toolSteps(): ToolSteps {
    return "correct the names of packages, or call again once"
  }
}

/** Another environment of the user has the name. */
export class EnvironmentNameTaken extends ContractError<EnvironmentNameTaken>()(
  "EnvironmentNameTaken",
  {
    name: Schema.String,
    /** Description of the environment that has the name. */
    is: Schema.String
  }
) {
  get fact() {
    return `the name "${this.name}" belongs to ${this.is}`
  }
  override get message() {
    return `${this.fact}. Choose another name, or replace that environment: --replace`
  }
  toolSteps(): ToolSteps {
    return "choose another name"
  }
}

/** A cached file (image, kernel, template, layer) differs from what pyro wrote. */
export class ImageDamaged extends ContractError<ImageDamaged>()(
  "ImageDamaged",
  {
    path: Schema.String,
    detail: Schema.String
  }
) {
  get fact() {
    return `${this.path} is damaged: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Remove it, and pyro builds it again: pyro env rm`
  }
  toolSteps(): ToolSteps {
    return "only the user can fix this, and pyro then builds the image again: pyro env rm"
  }
}
