import { Schema } from "effect"
import { printable } from "./printable.ts"
import { snakeFields } from "./snake.ts"

const suffix = (detail: string) => detail === "" ? "" : ` (${detail})`

export class HostToolMissing extends Schema.TaggedError<HostToolMissing>()(
  "HostToolMissing",
  snakeFields({
    tool: Schema.String,
    /** Debian package that has the tool. */
    package: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "host_tool_missing" as const
  }
  override get message() {
    return `${this.tool} is missing on this host${
      suffix(this.detail)
    }; install it with: sudo apt-get install ${this.package}`
  }
}

export class HostToolUnsuitable extends Schema.TaggedError<HostToolUnsuitable>()(
  "HostToolUnsuitable",
  snakeFields({
    tool: Schema.String,
    found: Schema.String,
    needed: Schema.String
  })
) {
  get code() {
    return "host_tool_unsuitable" as const
  }
  get fact() {
    return `${this.tool} ${this.found} cannot be used, ${this.needed} is needed`
  }
  override get message() {
    return `${this.fact}; see what this host has with: pyro doctor`
  }
}

/** Where the memory of running VMs is: it comes back when one ends. */
export const memoryStore = "memory store"
/** `where` of a `NoSpace`: the disk that a workspace is to have is too small for what it is to start with. */
export const WORKSPACE_DISK = "workspace disk"

/** How many of the microVMs that were asked for together the host has room for; absent where it was one. */
const fits = Schema.optional(Schema.Int)

const fitText = (fitting: number | undefined) => fitting === undefined ? "" : `; ${fitting} would fit`

/** What makes room for microVMs. A fork's sizes are its origin's: less can only be asked for by the number of forks. */
const remedy = (resource: string, fitting: number | undefined) => {
  const fewer = fitting === undefined || fitting === 0 ? "" : `ask for ${fitting} (--count ${fitting}), `
  const [flag, size] = resource === "cpu" ? ["--vcpu-count", "fewer virtual CPUs"] : ["--mem-mib", "less memory"]
  return `${fewer}stop or delete workspaces that are not needed (see: pyro workspace list), or create with ${size} (${flag}); a fork ` +
    "has the sizes of its origin"
}

export class NoSpace extends Schema.TaggedError<NoSpace>()(
  "NoSpace",
  snakeFields({
    /** What is full, such as `memory store` or `cache`. */
    where: Schema.String,
    path: Schema.String,
    neededMib: Schema.Number,
    availableMib: Schema.Number,
    fits
  })
) {
  get code() {
    return "no_space" as const
  }
  get fact() {
    return `no room in the ${this.where} at ${this.path}: ${this.neededMib} MiB needed, ${this.availableMib} MiB free${
      fitText(this.fits)
    }`
  }
  override get message() {
    const next = this.where === memoryStore
      ? remedy("memory", this.fits)
      : this.where === WORKSPACE_DISK
      ? "take less along, or create a workspace with a larger disk (--disk-mib)"
      : "free some space, for instance with: pyro gc"
    return `${this.fact}; ${next}`
  }
}

/** The host could do it, but not on top of what it already runs. */
export class AdmissionRefused extends Schema.TaggedError<AdmissionRefused>()(
  "AdmissionRefused",
  snakeFields({
    /** What would be exceeded, such as `memory` or `cpu`. */
    resource: Schema.String,
    detail: Schema.String,
    fits
  })
) {
  get code() {
    return "admission_refused" as const
  }
  get fact() {
    const what = this.fits === undefined ? "another microVM" : "so many microVMs"
    return `refused to start ${what}, ${this.resource} would run out: ${this.detail}${fitText(this.fits)}`
  }
  override get message() {
    return `${this.fact}; ${remedy(this.resource, this.fits)}`
  }
}

export class StateDirectoryUnusable extends Schema.TaggedError<StateDirectoryUnusable>()(
  "StateDirectoryUnusable",
  snakeFields({
    path: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "state_directory_unusable" as const
  }
  override get message() {
    return `${this.path} cannot be used: ${this.detail}; ${
      this.detail.startsWith("it is damaged")
        ? "mend it, or delete what it belongs to"
        : "make it yours and writable, or choose another with PYRO_STATE_DIR, PYRO_CACHE_DIR or PYRO_MEMORY_DIR"
    }`
  }
}

/** An environment variable has a value that pyro does not take. Nothing was done. */
export class InvalidConfiguration extends Schema.TaggedError<InvalidConfiguration>()(
  "InvalidConfiguration",
  snakeFields({
    /** Name of the environment variable. */
    variable: Schema.String,
    value: Schema.String,
    /** Values that the variable takes, as a phrase. */
    allowed: Schema.String
  })
) {
  get code() {
    return "invalid_configuration" as const
  }
  get fact() {
    return `the environment variable ${this.variable} is "${
      printable(this.value.slice(0, 200))
    }"; allowed: ${this.allowed}`
  }
  override get message() {
    return `${this.fact}. Correct the value, or remove the variable: unset ${this.variable}`
  }
}

export class SeedRejected extends Schema.TaggedError<SeedRejected>()(
  "SeedRejected",
  snakeFields({
    path: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "seed_rejected" as const
  }
  override get message() {
    const next = this.path.includes("://")
      ? "check the address and the ref, or clone it yourself and seed from the clone"
      : "give a readable directory, or a tar, zip or 7z archive"
    return `cannot seed from ${this.path}: ${this.detail}; ${next}`
  }
}

export class ConfinementUnavailable extends Schema.TaggedError<ConfinementUnavailable>()(
  "ConfinementUnavailable",
  snakeFields({
    level: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "confinement_unavailable" as const
  }
  get fact() {
    return `this host cannot confine QEMU as asked (reached: ${this.level}): ${this.detail}`
  }
  override get message() {
    return `${this.fact}; see: pyro doctor`
  }
}
