import { Schema } from "effect"
import { snakeFields } from "./snake.ts"

export class EnvironmentUnknown extends Schema.TaggedError<EnvironmentUnknown>()(
  "EnvironmentUnknown",
  snakeFields({
    environment: Schema.String,
    known: Schema.Array(Schema.String)
  })
) {
  get code() {
    return "environment_unknown" as const
  }
  get fact() {
    return `no environment "${this.environment}"; known are ${this.known.join(", ")}`
  }
  override get message() {
    return `${this.fact} (see: pyro env list)`
  }
}

/** apt's own words: trying again brings the same. */
const isNoPackage = (detail: string) => /Unable to locate package|has no installation candidate/.test(detail)

export class EnvironmentBuildFailed extends Schema.TaggedError<EnvironmentBuildFailed>()(
  "EnvironmentBuildFailed",
  snakeFields({
    environment: Schema.String,
    /** Step that failed, such as `bootstrap` or `image`. */
    step: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "environment_build_failed" as const
  }
  override get message() {
    const next = isNoPackage(this.detail)
      ? "; packages are named as in the release's Debian archive"
      : ", so the same can be tried again"
    return `could not build environment ${this.environment} (${this.step}): ${this.detail}; nothing half-made was kept${next}`
  }
}

/** A new environment's name stands for another one of the user's own. */
export class EnvironmentNameTaken extends Schema.TaggedError<EnvironmentNameTaken>()(
  "EnvironmentNameTaken",
  snakeFields({
    name: Schema.String,
    /** What the name stands for. */
    is: Schema.String
  })
) {
  get code() {
    return "environment_name_taken" as const
  }
  get fact() {
    return `the name "${this.name}" stands for ${this.is}`
  }
  override get message() {
    return `${this.fact}; choose another, or give it to the new one with --replace`
  }
}

/** A cached file (image, kernel, template, layer) is not what pyro wrote. */
export class ImageDamaged extends Schema.TaggedError<ImageDamaged>()(
  "ImageDamaged",
  snakeFields({
    path: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "image_damaged" as const
  }
  get fact() {
    return `${this.path} is damaged: ${this.detail}`
  }
  override get message() {
    return `${this.fact}; remove it (pyro env rm) and it is built anew when needed`
  }
}
