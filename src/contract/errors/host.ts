import { Schema } from "effect"
import { printable } from "../text/printable.ts"
import { ContractError, makeRoom, usersHost } from "./contract-error.ts"

const suffix = (detail: string) => detail === "" ? "" : ` (${detail})`

/** The host lacks a program that pyro needs. */
export class HostToolMissing extends ContractError<HostToolMissing>()("HostToolMissing", {
  tool: Schema.String,
  /** Debian package that has the tool. */
  package: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, package: name, tool }) =>
    `${tool} is missing on this host${suffix(detail)}. Install it: sudo apt-get install ${name}`,
  steps: usersHost
}) {}

/** A program of the host is too old, or lacks a feature that pyro needs. */
export class HostToolUnsuitable extends ContractError<HostToolUnsuitable>()("HostToolUnsuitable", {
  tool: Schema.String,
  found: Schema.String,
  needed: Schema.String
}, {
  fact: ({ tool, found, needed }) => `${tool} ${found} cannot be used; pyro needs ${needed}`,
  next: "Install a newer one, or name another program: PYRO_QEMU",
  steps: usersHost
}) {}

/** `where` of a `NoSpace`: memory of running VMs. A VM that ends frees its share. */
export const memoryStore = "memory store"
/** `where` of a `NoSpace`: the new workspace's disk is smaller than its seed. */
export const WORKSPACE_DISK = "workspace disk"

/** Number of the requested microVMs that fit on the host; absent for a request of one. */
const fits = Schema.optional(Schema.Int)

const fitText = (fitting: number | undefined) => fitting === undefined ? "" : `; ${fitting} of them fit`

/**
 * Ids of running workspaces without a name that nothing uses and nothing runs in: programs that ended may have left them. Absent if there are none,
 * or if pyro did not look.
 */
const unused = Schema.optional(Schema.Array(Schema.String))

const unusedFact = (ids: ReadonlyArray<string> | undefined) =>
  ids === undefined ? "" : `; running without a name and unused: ${ids.join(", ")}`

const unusedText = (ids: ReadonlyArray<string> | undefined) =>
  ids === undefined ? "" : `Delete those that you do not need: pyro delete ${ids.join(" ")}. `

/** The same for a model: it may know whether it made them. */
const roomSteps = (fitting: number | undefined, ids: ReadonlyArray<string> | undefined) => {
  const steps = makeRoom(fitting)
  return ids === undefined ? steps : [
    `call workspace_delete for those of ${ids.join(", ")} that you made: they have no name, and nothing uses them`,
    ...(typeof steps === "string" ? [steps] : steps)
  ]
}

/** Next step to free room for microVMs. A fork has its origin's sizes, so only the number of forks can shrink. */
const remedy = (resource: string, fitting: number | undefined, ids: ReadonlyArray<string> | undefined) => {
  const fewer = fitting === undefined || fitting === 0 ? "" : `Ask for fewer: --count ${fitting}. `
  const [flag, size] = resource === "cpu" ? ["--vcpu-count", "fewer virtual CPUs"] : ["--mem-mib", "less memory"]
  return `${fewer}${
    unusedText(ids)
  }Stop or delete workspaces (list them: pyro list), or create with ${size}: ${flag}. A fork has the sizes of its ` +
    "origin"
}

/** A disk of the host, or its memory for running VMs, has too little space. */
export class NoSpace extends ContractError<NoSpace>()("NoSpace", {
  /** Name of the full store, such as `memory store` or `cache`. */
  where: Schema.String,
  path: Schema.String,
  neededMib: Schema.Number,
  availableMib: Schema.Number,
  fits,
  unused
}, {
  fact: ({ where, path, neededMib, availableMib, fits, unused }) =>
    `no space in the ${where} at ${path}: ${neededMib} MiB needed, ${availableMib} MiB free${fitText(fits)}${
      unusedFact(unused)
    }`,
  next: ({ fits, unused, where }) =>
    where === memoryStore
      ? remedy("memory", fits, unused)
      : where === WORKSPACE_DISK
      ? "Copy less, or create a workspace with a larger disk: --disk-mib"
      : "Free some space: pyro gc",
  steps: ({ fits, unused }) => roomSteps(fits, unused)
}) {}

/** The host lacks resources for another microVM beside the running ones. */
export class AdmissionRefused extends ContractError<AdmissionRefused>()("AdmissionRefused", {
  /** Resource that would run out, such as `memory` or `cpu`. */
  resource: Schema.String,
  detail: Schema.String,
  fits,
  unused
}, {
  fact: ({ fits, resource, detail, unused }) => {
    const what = fits === undefined ? "the microVM was" : "the microVMs were"
    return `${what} not started, because ${resource} would run out: ${detail}${fitText(fits)}${unusedFact(unused)}`
  },
  next: ({ resource, fits, unused }) => remedy(resource, fits, unused),
  steps: ({ fits, unused }) => roomSteps(fits, unused)
}) {}

/** pyro cannot use its state directory. */
export class StateDirectoryUnusable extends ContractError<StateDirectoryUnusable>()("StateDirectoryUnusable", {
  path: Schema.String,
  detail: Schema.String
}, {
  fact: ({ path, detail }) =>
    `${path} cannot be used: ${detail}. ${
      detail.startsWith("it is damaged")
        ? "Repair it, or delete its workspace or snapshot"
        : "Make it writable for your user, or choose another directory: PYRO_STATE_DIR, PYRO_CACHE_DIR or PYRO_MEMORY_DIR"
    }`,
  steps: usersHost
}) {}

/** An environment variable has an invalid value. Nothing was done. */
export class InvalidConfiguration extends ContractError<InvalidConfiguration>()("InvalidConfiguration", {
  /** Name of the environment variable. */
  variable: Schema.String,
  value: Schema.String,
  /** Allowed values, as a phrase. */
  allowed: Schema.String
}, {
  fact: ({ variable, value, allowed }) =>
    `the environment variable ${variable} is "${printable(value.slice(0, 200))}"; allowed: ${allowed}`,
  next: ({ variable }) => `Correct the value, or remove the variable: unset ${variable}`,
  steps: usersHost
}) {}

/** The source of the workspace cannot be copied. Nothing was made. */
export class SeedRejected extends ContractError<SeedRejected>()("SeedRejected", {
  path: Schema.String,
  detail: Schema.String
}, {
  fact: ({ path, detail }) => {
    const next = path.includes("://")
      ? "Check the URL and the ref, or clone the repository and use the clone: --seed-path"
      : "Name a readable directory, or a tar, zip or 7z archive"
    return `cannot copy ${path} to the workspace: ${detail}. ${next}`
  },
  steps: "name another seed_path, or none"
}) {}

/** The host cannot confine a microVM to the level that the request demands. */
export class ConfinementUnavailable extends ContractError<ConfinementUnavailable>()("ConfinementUnavailable", {
  level: Schema.String,
  detail: Schema.String
}, {
  fact: ({ level, detail }) => `this host confines QEMU only to the level "${level}": ${detail}`,
  next: "Change that, or ask for no more: --require-confinement",
  steps: usersHost
}) {}

/** This host cannot run microVMs on a driver. Nothing was made. */
export class DriverUnavailable extends ContractError<DriverUnavailable>()("DriverUnavailable", {
  driver: Schema.String,
  detail: Schema.String
}, {
  fact: ({ driver, detail }) => `this microVM cannot run on ${driver} here: ${detail}`,
  next: "QEMU needs none of this, for a new workspace: --driver qemu",
  steps: usersHost
}) {}

/** A configuration file of an agent host cannot be read or changed. Nothing was written. */
export class HostFileUnusable extends ContractError<HostFileUnusable>()("HostFileUnusable", {
  host: Schema.String,
  path: Schema.String,
  detail: Schema.String
}, {
  fact: ({ path, host, detail }) => `${path} of ${host} cannot be used: ${detail}`,
  next: ({ host }) => `Nothing was written. Correct the file, or print the entry: pyro host print-config ${host}`,
  steps: "only the user can fix this"
}) {}

/** An agent has no key. Nothing was made. */
export class AgentKeyMissing extends ContractError<AgentKeyMissing>()("AgentKeyMissing", {
  agent: Schema.String,
  /** Variables of which one would do. */
  variables: Schema.Array(Schema.String)
}, {
  fact: ({ agent, variables }) => `${agent} needs a key, and the environment has none: ${variables.join(", ")}`,
  next: ({ variables }) => `Nothing was made. Set one, which stays on the host: export ${variables[0]}=…`,
  steps: "only the user can fix this"
}) {}

/** An agent host has another entry for pyro. Nothing was written. */
export class HostEntryDiffers extends ContractError<HostEntryDiffers>()("HostEntryDiffers", {
  host: Schema.String,
  path: Schema.String,
  /** Keys of the entry that differ. */
  keys: Schema.Array(Schema.String),
  /** The change that `--force` makes, as a patch. */
  diff: Schema.String
}, {
  fact: ({ host, path, keys, diff }) =>
    `${host} has another entry for pyro in ${path}: ${keys.join(", ")} would change\n${diff.trimEnd()}`,
  message: ({ fact }) => `${fact}\nMake this change: run the command again with --force`,
  steps: "only the user can fix this"
}) {}

export const hostErrors = [
  HostToolMissing,
  HostToolUnsuitable,
  NoSpace,
  AdmissionRefused,
  StateDirectoryUnusable,
  InvalidConfiguration,
  SeedRejected,
  ConfinementUnavailable,
  DriverUnavailable,
  HostFileUnusable,
  AgentKeyMissing,
  HostEntryDiffers
] as const
