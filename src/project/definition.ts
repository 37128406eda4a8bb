import { Schema, SchemaGetter } from "effect"
import { variables, workingDirectory } from "../contract/rows/command.ts"
import { networkFields } from "../contract/rows/network-fields.ts"
import { lazy } from "../contract/rows/operation.ts"
import {
  mappingOf,
  secretCommandsField,
  secretHttpField,
  secretMappings,
  SecretName
} from "../contract/rows/secret-fields.ts"
import { readinessFields, serviceName } from "../contract/rows/service-fields.ts"
import { agentHosts } from "../contract/rows/ssh-agent-fields.ts"
import { WorkspaceName, WorkspaceUser } from "../contract/rows/workspace-field.ts"
import { portText } from "../contract/rows/workspace-port.ts"
import { MAX_TTL_SECONDS } from "../contract/rows/workspace-times.ts"
import { between, boolean, ignoredGlobs, list, must, optional, text } from "../contract/text/fields.ts"
import { byName } from "../contract/text/names.ts"
import { snakeCase, snakeStruct } from "../contract/text/snake.ts"
import { THIS_HOST } from "../contract/text/this-host.ts"
import { numberOf, type Unit } from "../contract/text/units.ts"

/** A whole number, or one with a unit as on the command line: `"30m"`, `"2G"`. */
const measured = (unit: Unit, { from, to }: { readonly from: number; readonly to: number }) => {
  const read = (given: number | string) => typeof given === "number" ? given : numberOf(given, unit)
  return Schema.Union([Schema.Number, Schema.String]).annotate({
    message: "must be a number, or a number with a unit in quotes"
  }).pipe(
    Schema.check(Schema.makeFilter((given) => {
      const number = read(given)
      return typeof number === "string"
        ? number
        : Number.isInteger(number) && number >= from && number <= to ||
          `must be ${from} to ${to} ${unit === "time" ? "seconds" : "MiB"}`
    })),
    Schema.decodeTo(Schema.Number, {
      decode: SchemaGetter.transform((given) => Number(read(given))),
      encode: SchemaGetter.transform((number): number | string => number)
    })
  )
}

/** Ports, as numbers or as `HOST_PORT:GUEST_PORT`. */
const ports = () =>
  Schema.Array(
    Schema.Union([Schema.Number, Schema.String]).annotate({ message: "must be a port, or \"HOST_PORT:GUEST_PORT\"" })
      .pipe(
        Schema.decodeTo(portText("Port of the guest to publish"), {
          decode: SchemaGetter.transform(String),
          encode: SchemaGetter.transform((port): number | string => port)
        })
      )
  ).pipe(Schema.check(Schema.isMaxLength(16, { message: "must be at most 16 ports" })))

/** A path beneath the project's directory. */
const insidePath = () =>
  text("").pipe(
    must(
      (path) => path !== "" && !path.startsWith("/") && !path.startsWith("~") && !path.split("/").includes(".."),
      "must be a path beneath the project's directory"
    )
  )

/** A shell script, or a program with its arguments. */
const Command = lazy(() =>
  Schema.Union([text(""), list(text(""))]).annotate({
    message: "must be a shell script, or a list of a program and its arguments"
  }).pipe(must((command) => command.length > 0, "must not be empty"))
)

const secrets = () => list(SecretName())

/** A setup command: text alone, or a table that gives it more. */
const Setup = lazy(() =>
  Schema.Union([
    Schema.String,
    Schema.Struct({ run: Schema.String, secrets: optional(secrets()) })
  ]).annotate({ message: "must be a shell script, or a table with run and secrets" })
)

const Service = lazy(() => {
  const { readyCommand, readyFile, readyHttp, readyTcp } = readinessFields()
  return snakeStruct({
    command: optional(Command()),
    readyTcp,
    readyHttp,
    readyFile,
    readyCommand,
    readyTimeout: optional(measured("time", { from: 1, to: 3_600 })),
    restart: optional(Schema.Literals(["never", "on-failure", "always"])),
    ports: optional(ports()),
    env: optional(variables("")),
    cwd: optional(workingDirectory("")),
    user: optional(Schema.String),
    secrets: secretMappings().secretEnv
  })
})
export type Service = ReturnType<typeof Service>["Type"]

const MAX_SERVICES = 32
const MAX_SETUP = 64

const Services = lazy(() =>
  byName(Service()).pipe(
    must(
      (all) => Object.keys(all).every((name) => Schema.is(serviceName())(name)),
      "names of services must be 1 to 63 letters, digits, '.', '_' and '-'"
    ),
    must((all) => Object.keys(all).length <= MAX_SERVICES, `must be ${MAX_SERVICES} services at most`)
  )
)

/** A host, an address or a list: ASCII without blanks and commas. Its words would be a part of the question, and other letters look like a host's. */
const RULE = /^[!-+\--~]+$/

/**
 * A rule that says something else in the question than it grants. The daemon reads the rules of each policy, but only after the answer.
 */
const misleadingRule = (
  rules: {
    readonly allowHosts?: ReadonlyArray<string>
    readonly denyHosts?: ReadonlyArray<string>
    readonly allowIps?: ReadonlyArray<string>
  }
): string | undefined => {
  const [key, rule] = Object.entries(rules).flatMap(([name, all]) => all.map((one) => [name, one] as const))
    .find(([, one]) => !RULE.test(one)) ?? []
  if (key !== undefined) {
    return `${snakeCase(key)}: ${JSON.stringify(rule)} must be one rule, in ASCII without blanks and commas`
  }
  const whole = rules.allowHosts?.find((one) => one.toLowerCase().replace(/\.$/, "") === THIS_HOST)
  return whole === undefined
    ? undefined
    : `allow_hosts: ${whole} is this host; name the port of the service: ${THIS_HOST}:PORT`
}

const Network = lazy(() => {
  const { allowHosts, allowIps, denyHosts, networkPolicy } = networkFields()
  return snakeStruct({
    policy: networkPolicy,
    allowHosts,
    denyHosts,
    allowIps,
    trustHostCertificates: optional(boolean(""))
  }).pipe(
    must(
      ({ allowHosts = [], allowIps = [], policy, trustHostCertificates }) =>
        trustHostCertificates !== true || (policy ?? "off") !== "off" ||
        policy === undefined && allowHosts.length + allowIps.length > 0,
      "trust_host_certificates needs a network: allow_hosts, allow_ips or policy"
    ),
    Schema.check(
      Schema.makeFilter(({ allowHosts = [], allowIps = [], denyHosts = [] }) =>
        misleadingRule({ allowHosts, denyHosts, allowIps }) ?? true
      )
    )
  )
})

const SshAgent = lazy(() =>
  Schema.Struct({ hosts: agentHosts(""), ask: optional(boolean("")) }).annotate({
    message: "must be a table with hosts, and ask"
  })
)

const Build = lazy(() =>
  snakeStruct({
    target: optional(text("")),
    args: optional(variables("")),
    allowHosts: networkFields().allowHosts
  }).pipe(Schema.check(Schema.makeFilter(({ allowHosts = [] }) => misleadingRule({ allowHosts }) ?? true)))
)

const Seed = lazy(() =>
  snakeStruct({
    git: optional(Schema.Literals(["shallow", "full", "none"])),
    includeIgnored: optional(ignoredGlobs(""))
  })
)

/** A service without a command in an environment that has none: only one that was made of an image has. */
const withoutCommand = (
  { devcontainer, dockerfile, environment = "debian:12", services = {} }: {
    readonly devcontainer?: unknown
    readonly dockerfile?: unknown
    readonly environment?: string
    readonly services?: Readonly<Record<string, { readonly command?: unknown }>>
  }
): string | undefined => {
  if ((devcontainer ?? dockerfile) !== undefined || !/^debian(:|$)/.test(environment)) return undefined
  const name = Object.keys(services).find((one) => services[one]!.command === undefined)
  return name === undefined
    ? undefined
    : `services.${name}.command is missing, and ${environment} has no command of its own`
}

/** A use of a secret that the file does not ask for. */
const unnamedSecret = (
  { secretCommands = [], secretHttp = [], secrets = [], services = {}, setup = [] }: {
    readonly secrets?: ReadonlyArray<string>
    readonly secretHttp?: ReadonlyArray<string>
    readonly secretCommands?: ReadonlyArray<string>
    readonly services?: Readonly<Record<string, { readonly secrets?: ReadonlyArray<string> }>>
    readonly setup?: ReadonlyArray<string | { readonly secrets?: ReadonlyArray<string> }>
  }
): string | undefined =>
  [
    ...secretHttp.map((item) => ["secret_http", item.split("@", 1)[0]!] as const),
    ...secretCommands.map((name) => ["secret_commands", name] as const),
    ...Object.entries(services).flatMap(([name, service]) =>
      (service.secrets ?? []).map((item) => [`services.${name}.secrets`, mappingOf(item).name] as const)
    ),
    ...setup.flatMap((one) =>
      typeof one === "string" ? [] : (one.secrets ?? []).map((name) => ["setup", name] as const)
    )
  ].filter(([, name]) => !secrets.includes(name)).map(([where, name]) => `${where}: ${name} is not in secrets`)[0]

/** Description of a repository's workspace, in pyro.toml or in package.json. */
export const Definition = lazy(() =>
  snakeStruct({
    name: optional(WorkspaceName()),
    environment: optional(
      text("").pipe(must((name) => name !== "" && name.length <= 200, "must be a name such as debian:12"))
    ),
    dockerfile: optional(insidePath()),
    devcontainer: optional(
      Schema.Union([Schema.Literal(true), insidePath()]).annotate({
        message: "must be true, or a path beneath the project's directory"
      })
    ),
    build: optional(Build()),
    seed: optional(Seed()),
    user: optional(WorkspaceUser()),
    env: optional(variables("")),
    cwd: optional(workingDirectory("")),
    cpus: optional(between({ from: 1, to: 32, description: "" })),
    memory: optional(measured("mib", { from: 128, to: 1_048_576 })),
    disk: optional(measured("mib", { from: 64, to: 4_194_304 })),
    network: optional(Network()),
    secrets: optional(secrets()),
    ...secretHttpField(""),
    ...secretCommandsField(""),
    sshAgent: optional(SshAgent()),
    ports: optional(ports()),
    pauseAfter: optional(measured("time", { from: 0, to: MAX_TTL_SECONDS })),
    ttl: optional(measured("time", { from: 1, to: MAX_TTL_SECONDS })),
    setup: optional(
      Schema.Array(Setup()).pipe(
        Schema.check(Schema.isMaxLength(MAX_SETUP, { message: `must be ${MAX_SETUP} commands at most` }))
      )
    ),
    services: optional(Services())
  }).pipe(
    must(
      ({ devcontainer, dockerfile, environment }) =>
        [devcontainer, dockerfile, environment].filter((one) => one !== undefined).length <= 1,
      "environment, dockerfile and devcontainer cannot be combined"
    ),
    must(({ build, dockerfile }) => build === undefined || dockerfile !== undefined, "build needs dockerfile"),
    Schema.check(Schema.makeFilter((definition) => unnamedSecret(definition) ?? withoutCommand(definition) ?? true))
  )
)
export type Definition = ReturnType<typeof Definition>["Type"]
