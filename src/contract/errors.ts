import { Schema } from "effect"
import { snakeFields } from "./snake.ts"
import {
  DaemonMismatch,
  DaemonUnavailable,
  EditRejected,
  ExecNotFound,
  ExportRefused,
  FileChanged,
  FileRefused,
  PatchRejected,
  SnapshotExists,
  SnapshotMismatch,
  SnapshotNotFound,
  WorkspaceNameTaken,
  WorkspaceNotFound,
  WorkspaceNotReady
} from "./workspace-errors.ts"

export * from "./workspace-errors.ts"

/** The request itself is at fault: it will fail again until it is changed. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()(
  "InvalidRequest",
  snakeFields({
    /** Field of the request as its JSON names it, empty when the whole is meant. */
    field: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "invalid_request" as const
  }
  override get message() {
    return this.field === "" ? this.detail : `${this.field}: ${this.detail}`
  }
}

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
  override get message() {
    return `no environment "${this.environment}"; known are ${this.known.join(", ")} (see: pyro env list)`
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
  override get message() {
    return `the name "${this.name}" stands for ${this.is}; choose another, or remove that one: pyro env rm ${this.name}`
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
  override get message() {
    return `${this.path} is damaged: ${this.detail}; remove it (pyro env rm) and it is built anew when needed`
  }
}

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
  override get message() {
    return `${this.tool} ${this.found} cannot be used, ${this.needed} is needed; see what this host has with: pyro doctor`
  }
}

/** The microVM could not be started, restored or kept running. */
export class VmFailed extends Schema.TaggedError<VmFailed>()(
  "VmFailed",
  snakeFields({
    step: Schema.String,
    detail: Schema.String,
    /** End of the guest's console log, empty when it said nothing. */
    consoleTail: Schema.String
  })
) {
  get code() {
    return "vm_failed" as const
  }
  override get message() {
    return `the microVM failed (${this.step}): ${this.detail}; check the host with: pyro doctor${
      console(this.consoleTail)
    }`
  }
}

export class GuestPanicked extends Schema.TaggedError<GuestPanicked>()(
  "GuestPanicked",
  snakeFields({
    detail: Schema.String,
    consoleTail: Schema.String
  })
) {
  get code() {
    return "guest_panicked" as const
  }
  override get message() {
    return `the guest's kernel panicked: ${this.detail}; what ran in it is lost, run it again${
      console(this.consoleTail)
    }`
  }
}

/** The byte stream to the guest broke, or the guest broke its rules. What ran may or may not have finished. */
export class ChannelFailed extends Schema.TaggedError<ChannelFailed>()(
  "ChannelFailed",
  snakeFields({
    detail: Schema.String
  })
) {
  get code() {
    return "channel_failed" as const
  }
  override get message() {
    return `lost the channel to the guest: ${this.detail}; the command may have run in part, run it again in a fresh one`
  }
}

/** What somebody looks for first where an environment without a compiler was chosen. */
const toolsOfBuildEnvironments = new Set([
  "make",
  "gcc",
  "g++",
  "cc",
  "c++",
  "pkg-config",
  "pip",
  "pip3",
  "node",
  "npm",
  "npx"
])

export class CommandNotFound extends Schema.TaggedError<CommandNotFound>()(
  "CommandNotFound",
  snakeFields({
    command: Schema.String
  })
) {
  get code() {
    return "command_not_found" as const
  }
  override get message() {
    const where = toolsOfBuildEnvironments.has(this.command) ? "; debian:12-build and debian:13-build have it" : ""
    return `no command "${this.command}" in the guest; nothing ran, check its name and the guest's PATH${where}`
  }
}

export class CommandNotExecutable extends Schema.TaggedError<CommandNotExecutable>()(
  "CommandNotExecutable",
  snakeFields({
    command: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "command_not_executable" as const
  }
  override get message() {
    return `"${this.command}" cannot be executed in the guest: ${this.detail}; nothing ran, check its mode and its interpreter`
  }
}

/** The command never started: trying again is safe. */
export class CommandNotStarted extends Schema.TaggedError<CommandNotStarted>()(
  "CommandNotStarted",
  snakeFields({
    step: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "command_not_started" as const
  }
  override get message() {
    return `the command was not started (${this.step}): ${this.detail}; nothing ran, so trying again is safe`
  }
}

export class NoSpace extends Schema.TaggedError<NoSpace>()(
  "NoSpace",
  snakeFields({
    /** What is full, such as `memory store` or `cache`. */
    where: Schema.String,
    path: Schema.String,
    neededMib: Schema.Number,
    availableMib: Schema.Number
  })
) {
  get code() {
    return "no_space" as const
  }
  override get message() {
    return `no room in the ${this.where} at ${this.path}: ${this.neededMib} MiB needed, ${this.availableMib} MiB free; ` +
      `free some space, for instance with: pyro gc`
  }
}

/** The host could do it, but not on top of what it already runs. */
export class AdmissionRefused extends Schema.TaggedError<AdmissionRefused>()(
  "AdmissionRefused",
  snakeFields({
    /** What would be exceeded, such as `memory` or `cpu`. */
    resource: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "admission_refused" as const
  }
  override get message() {
    return `refused to start another microVM, ${this.resource} would run out: ${this.detail}; end one, or ask for less`
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
    return `${this.path} cannot be used: ${this.detail}; ` +
      `make it yours and writable, or choose another with PYRO_STATE_DIR, PYRO_CACHE_DIR or PYRO_MEMORY_DIR`
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
    return `cannot seed from ${this.path}: ${this.detail}; give a readable directory or tar archive`
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
  override get message() {
    return `this host cannot confine QEMU as asked (reached: ${this.level}): ${this.detail}; see: pyro doctor`
  }
}

const suffix = (detail: string) => detail === "" ? "" : ` (${detail})`
const console = (tail: string) => tail === "" ? "" : `\nend of the guest's console:\n${tail}`

/** Everything a caller can be told. A class added here must get a row in `exitStatus` before this compiles again. */
export const PyroError = Schema.Union(
  InvalidRequest,
  EnvironmentUnknown,
  EnvironmentBuildFailed,
  EnvironmentNameTaken,
  ImageDamaged,
  HostToolMissing,
  HostToolUnsuitable,
  VmFailed,
  GuestPanicked,
  ChannelFailed,
  CommandNotFound,
  CommandNotExecutable,
  CommandNotStarted,
  NoSpace,
  AdmissionRefused,
  StateDirectoryUnusable,
  SeedRejected,
  ConfinementUnavailable,
  WorkspaceNotFound,
  WorkspaceNameTaken,
  WorkspaceNotReady,
  SnapshotNotFound,
  SnapshotExists,
  SnapshotMismatch,
  ExecNotFound,
  FileRefused,
  FileChanged,
  EditRejected,
  PatchRejected,
  ExportRefused,
  DaemonUnavailable,
  DaemonMismatch
)
export type PyroError = typeof PyroError.Type
