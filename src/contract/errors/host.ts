import { Schema } from "effect"
import { printable } from "../text/printable.ts"
import { ContractError, makeRoom, type ToolSteps, usersHost } from "./contract-error.ts"

const suffix = (detail: string) => detail === "" ? "" : ` (${detail})`

export class HostToolMissing extends ContractError<HostToolMissing>()(
  "HostToolMissing",
  {
    tool: Schema.String,
    /** Debian package that has the tool. */
    package: Schema.String,
    detail: Schema.String
  }
) {
  override get message() {
    return `${this.tool} is missing on this host${
      suffix(this.detail)
    }. Install it: sudo apt-get install ${this.package}`
  }
  toolSteps(): ToolSteps {
    return usersHost
  }
}

export class HostToolUnsuitable extends ContractError<HostToolUnsuitable>()(
  "HostToolUnsuitable",
  {
    tool: Schema.String,
    found: Schema.String,
    needed: Schema.String
  }
) {
  get fact() {
    return `${this.tool} ${this.found} cannot be used; pyro needs ${this.needed}`
  }
  override get message() {
    return `${this.fact}. Install a newer one, or name another program: PYRO_QEMU`
  }
  toolSteps(): ToolSteps {
    return usersHost
  }
}

/** `where` of a `NoSpace`: memory of running VMs. A VM that ends frees its share. */
export const memoryStore = "memory store"
/** `where` of a `NoSpace`: the new workspace's disk is smaller than its seed. */
export const WORKSPACE_DISK = "workspace disk"

/** Number of the requested microVMs that fit on the host; absent for a request of one. */
const fits = Schema.optional(Schema.Int)

const fitText = (fitting: number | undefined) => fitting === undefined ? "" : `; ${fitting} of them fit`

/** Next step to free room for microVMs. A fork has its origin's sizes, so only the number of forks can shrink. */
const remedy = (resource: string, fitting: number | undefined) => {
  const fewer = fitting === undefined || fitting === 0 ? "" : `Ask for fewer: --count ${fitting}. `
  const [flag, size] = resource === "cpu" ? ["--vcpu-count", "fewer virtual CPUs"] : ["--mem-mib", "less memory"]
  return `${fewer}Stop or delete workspaces (list them: pyro list), or create with ${size}: ${flag}. A fork has the sizes of its ` +
    "origin"
}

export class NoSpace extends ContractError<NoSpace>()(
  "NoSpace",
  {
    /** Name of the full store, such as `memory store` or `cache`. */
    where: Schema.String,
    path: Schema.String,
    neededMib: Schema.Number,
    availableMib: Schema.Number,
    fits
  }
) {
  get fact() {
    return `no space in the ${this.where} at ${this.path}: ${this.neededMib} MiB needed, ${this.availableMib} MiB free${
      fitText(this.fits)
    }`
  }
  override get message() {
    const next = this.where === memoryStore
      ? remedy("memory", this.fits)
      : this.where === WORKSPACE_DISK
      ? "Copy less, or create a workspace with a larger disk: --disk-mib"
      : "Free some space: pyro gc"
    return `${this.fact}. ${next}`
  }
  toolSteps(): ToolSteps {
    return makeRoom(this.fits)
  }
}

/** The host lacks resources for another microVM beside the running ones. */
export class AdmissionRefused extends ContractError<AdmissionRefused>()(
  "AdmissionRefused",
  {
    /** Resource that would run out, such as `memory` or `cpu`. */
    resource: Schema.String,
    detail: Schema.String,
    fits
  }
) {
  get fact() {
    const what = this.fits === undefined ? "the microVM was" : "the microVMs were"
    return `${what} not started, because ${this.resource} would run out: ${this.detail}${fitText(this.fits)}`
  }
  override get message() {
    return `${this.fact}. ${remedy(this.resource, this.fits)}`
  }
  toolSteps(): ToolSteps {
    return makeRoom(this.fits)
  }
}

export class StateDirectoryUnusable extends ContractError<StateDirectoryUnusable>()(
  "StateDirectoryUnusable",
  {
    path: Schema.String,
    detail: Schema.String
  }
) {
  override get message() {
    return `${this.path} cannot be used: ${this.detail}. ${
      this.detail.startsWith("it is damaged")
        ? "Repair it, or delete its workspace or snapshot"
        : "Make it writable for your user, or choose another directory: PYRO_STATE_DIR, PYRO_CACHE_DIR or PYRO_MEMORY_DIR"
    }`
  }
  toolSteps(): ToolSteps {
    return usersHost
  }
}

/** An environment variable has an invalid value. Nothing was done. */
export class InvalidConfiguration extends ContractError<InvalidConfiguration>()(
  "InvalidConfiguration",
  {
    /** Name of the environment variable. */
    variable: Schema.String,
    value: Schema.String,
    /** Allowed values, as a phrase. */
    allowed: Schema.String
  }
) {
  get fact() {
    return `the environment variable ${this.variable} is "${
      printable(this.value.slice(0, 200))
    }"; allowed: ${this.allowed}`
  }
  override get message() {
    return `${this.fact}. Correct the value, or remove the variable: unset ${this.variable}`
  }
  toolSteps(): ToolSteps {
    return usersHost
  }
}

export class SeedRejected extends ContractError<SeedRejected>()(
  "SeedRejected",
  {
    path: Schema.String,
    detail: Schema.String
  }
) {
  override get message() {
    const next = this.path.includes("://")
      ? "Check the URL and the ref, or clone the repository and use the clone: --seed-path"
      : "Name a readable directory, or a tar, zip or 7z archive"
    return `cannot copy ${this.path} to the workspace: ${this.detail}. ${next}`
  }
  toolSteps(): ToolSteps {
    return "name another seed_path, or none"
  }
}

export class ConfinementUnavailable extends ContractError<ConfinementUnavailable>()(
  "ConfinementUnavailable",
  {
    level: Schema.String,
    detail: Schema.String
  }
) {
  get fact() {
    return `this host confines QEMU only to the level "${this.level}": ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Change that, or ask for no more: --require-confinement`
  }
  toolSteps(): ToolSteps {
    return usersHost
  }
}

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
