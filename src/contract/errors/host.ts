import { Schema } from "effect"
import { printable } from "../text/printable.ts"
import { ContractError } from "./contract-error.ts"
import { call, command, type NextStep, option, words } from "./next-step.ts"

const suffix = (detail: string) => detail === "" ? "" : ` (${detail})`

/** The host lacks a program that pyro needs. */
export class HostToolMissing extends ContractError<HostToolMissing>()("HostToolMissing", {
  tool: Schema.String,
  /** Debian package that has the tool. */
  package: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, tool }) => `${tool} is missing on this host${suffix(detail)}`,
  next: ({ package: name }) => [command("Install it", `sudo apt-get install ${name}`)]
}) {}

/** A program of the host is too old, or lacks a feature that pyro needs. */
export class HostToolUnsuitable extends ContractError<HostToolUnsuitable>()("HostToolUnsuitable", {
  tool: Schema.String,
  found: Schema.String,
  needed: Schema.String
}, {
  fact: ({ tool, found, needed }) => `${tool} ${found} cannot be used; pyro needs ${needed}`,
  next: ({ tool }) => [
    words("Install a newer one"),
    .../qemu/i.test(tool) ? [command("Or name another program", "export PYRO_QEMU=/PATH/TO/IT")] : []
  ]
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

/** How to make room for microVMs. A fork has its origin's sizes, so only the number of forks can shrink. */
const roomSteps = (
  resource: string,
  fitting: number | undefined,
  ids: ReadonlyArray<string> | undefined
): ReadonlyArray<NextStep> => [
  ...fitting === undefined || fitting === 0 ? [] : [option("Ask for fewer", "count", fitting)],
  ...ids === undefined ? [] : [call("Delete those that you do not need", "workspace.delete", { workspaces: [...ids] })],
  call("Stop or delete workspaces. List them", "workspace.list"),
  resource === "cpu"
    ? option("Or create with fewer virtual CPUs", "vcpu_count")
    : option("Or create with less memory", "memory_mib"),
  words("A fork has the sizes of its origin")
]

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
      ? roomSteps("memory", fits, unused)
      : where === WORKSPACE_DISK
      ? [words("Copy less"), option("Or create a workspace with a larger disk", "disk_mib")]
      : [call("Free some space", "gc")]
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
  next: ({ resource, fits, unused }) => roomSteps(resource, fits, unused)
}) {}

/** pyro cannot use its state directory. */
export class StateDirectoryUnusable extends ContractError<StateDirectoryUnusable>()("StateDirectoryUnusable", {
  path: Schema.String,
  detail: Schema.String
}, {
  fact: ({ path, detail }) => `${path} cannot be used: ${detail}`,
  next: ({ detail }) =>
    detail.startsWith("it is damaged")
      ? [words("Repair it, or delete its workspace or snapshot")]
      : [words(
        "Make it writable for your user, or choose another directory by PYRO_STATE_DIR, PYRO_CACHE_DIR or PYRO_MEMORY_DIR"
      )]
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
  next: ({ variable }) => [command("Correct the value, or remove the variable", `unset ${variable}`)]
}) {}

/** The source of the workspace cannot be copied. Nothing was made. */
export class SeedRejected extends ContractError<SeedRejected>()("SeedRejected", {
  path: Schema.String,
  detail: Schema.String
}, {
  fact: ({ path, detail }) => `cannot copy ${path} to the workspace: ${detail}`,
  next: ({ path }) =>
    path.includes("://")
      ? [
        words("Check the URL and the ref"),
        option("Or clone the repository and use the clone", "seed_path")
      ]
      : [words("Name a readable directory, or a tar, zip or 7z archive")]
}) {}

/** The host cannot confine a microVM to the level that the request demands. */
export class ConfinementUnavailable extends ContractError<ConfinementUnavailable>()("ConfinementUnavailable", {
  level: Schema.String,
  detail: Schema.String
}, {
  fact: ({ level, detail }) => `this host confines QEMU only to the level "${level}": ${detail}`,
  next: ({ level }) => [option("Change that, or ask for no more", "require_confinement", level)]
}) {}

/** This host cannot run microVMs on a driver. Nothing was made. */
export class DriverUnavailable extends ContractError<DriverUnavailable>()("DriverUnavailable", {
  driver: Schema.String,
  detail: Schema.String
}, {
  fact: ({ driver, detail }) => `this microVM cannot run on ${driver} here: ${detail}`,
  next: [option("QEMU needs none of this, for a new workspace", "driver", "qemu")]
}) {}

/** A configuration file of an agent host cannot be read or changed. Nothing was written. */
export class HostFileUnusable extends ContractError<HostFileUnusable>()("HostFileUnusable", {
  host: Schema.String,
  path: Schema.String,
  detail: Schema.String
}, {
  fact: ({ path, host, detail }) => `${path} of ${host} cannot be used: ${detail}. Nothing was written`,
  next: ({ host }) => [
    command("Correct the file, or print the entry", `pyro host print-config ${host}`)
  ]
}) {}

/** An agent has no key. Nothing was made. */
export class AgentKeyMissing extends ContractError<AgentKeyMissing>()("AgentKeyMissing", {
  agent: Schema.String,
  /** Variables of which one would do. */
  variables: Schema.Array(Schema.String)
}, {
  fact: ({ agent, variables }) =>
    `${agent} needs a key, and the environment has none: ${variables.join(", ")}. Nothing was made`,
  next: ({ variables }) => [command("Set one, which stays on the host", `export ${variables[0]}=…`)]
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
  next: [option("Make this change", "force", true)]
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
