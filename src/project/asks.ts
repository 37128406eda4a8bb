import { Effect } from "effect"
import { ProjectFileInvalid } from "../contract/errors/errors.ts"
import { type SecretTarget, secretTargetOf } from "../contract/rows/secret-target.ts"
import { parseReference } from "../contract/text/image-reference.ts"
import { oneLine } from "../contract/text/one-line.ts"
import { typed } from "../contract/text/printable.ts"
import { THIS_HOST } from "../contract/text/this-host.ts"
import { kindOfRegistry, registryInWords } from "../lib/recipe/registries.ts"
import { buildOf, type ProjectBuild } from "./build.ts"
import type { Definition } from "./definition.ts"
import type { ProjectFile } from "./file.ts"
import { commandNamesOf } from "./requests.ts"

/**
 * What a file asks for beyond a microVM with a copy of the project, one phrase each: network, ports of the host, values of secrets, an SSH agent, files that
 * git ignores, and images. Each phrase has everything that the grant depends on, so that another grant is another phrase.
 */
export const asksOf = (definition: Definition, built?: ProjectBuild): ReadonlyArray<string> => [
  ...networkAsks(definition),
  ...portAsks(definition),
  ...secretAsks(definition),
  ...agentAsks(definition),
  ...(definition.seed?.includeIgnored ?? []).map((glob) => `a copy of files that git ignores: ${glob}`),
  ...imageAsks(definition, built)
]

/** Maximum phrases of a file, and characters of one: a person reads each before the answer. */
const MOST_PHRASES = 200
const MOST_CHARACTERS = 900

/** The same of a file, with what its build reads: another registry is another phrase. */
export const asksOfFile = (file: ProjectFile): Effect.Effect<ReadonlyArray<string>, ProjectFileInvalid> =>
  Effect.flatMap(buildOf(file), (built) => asksWith(file, built))

/** The same of a file whose build is known. */
export const asksWith = (
  file: ProjectFile,
  built: ProjectBuild | undefined
): Effect.Effect<ReadonlyArray<string>, ProjectFileInvalid> =>
  Effect.suspend(() => {
    const asks = asksOf(file.definition, built)
    const long = asks.find((ask) => oneLine(ask, Infinity).length > MOST_CHARACTERS)
    const detail = asks.length > MOST_PHRASES
      ? `it asks for ${asks.length} things, and a person can be asked for ${MOST_PHRASES}`
      : long === undefined
      ? undefined
      : `it asks for a thing with more than ${MOST_CHARACTERS} characters: ${oneLine(long, 100)}`
    return detail === undefined ? Effect.succeed(asks) : new ProjectFileInvalid({ path: file.path, detail })
  })

/** A host as a person knows the host. The name of this computer in guests says nothing to a person. */
const placeOf = (rule: string) => {
  const [name = "", port] = rule.split(":")
  return name.toLowerCase().replace(/\.$/, "") === THIS_HOST ? `port ${port} of this computer (${rule})` : rule
}

const networkAsks = ({ network = {} }: Definition): ReadonlyArray<string> => {
  const { allowHosts = [], allowIps = [], denyHosts = [], policy, trustHostCertificates } = network
  if (policy === "off" || policy === undefined && allowHosts.length + allowIps.length === 0) return []
  const but = denyHosts.length === 0 ? "" : ` but not to ${[...denyHosts].sort().join(", ")}`
  const rules = [...allowHosts, ...allowIps]
  return [
    ...(rules.length === 0
      ? [`connections to every public host${but}`]
      : rules.map((rule) => `connections to ${placeOf(rule)}${but}`)),
    ...(policy === "egress+published-ports" ? ["ports that a model publishes on 127.0.0.1 of this host"] : []),
    ...(trustHostCertificates === true
      ? ["trust in the certificate authorities that this host added to the public ones"]
      : [])
  ]
}

const portAsks = ({ ports = [], services = {} }: Definition) =>
  [...ports, ...Object.values(services).flatMap((service) => service.ports ?? [])].map((port) => {
    const [guest, host] = port.split(":").reverse()
    return `a port of 127.0.0.1 of this host for port ${guest} of the guest${
      host === undefined || Number(host) === 0 ? "" : `: ${host}`
    }`
  })

const secretAsks = (definition: Definition) => {
  const { secretHttp = [], secrets = [] } = definition
  const forCommands = commandNamesOf(definition)
  return secrets.flatMap((name) => [
    ...secretHttp.flatMap((item) => secretTargetOf(item) ?? []).filter((target) => target.name === name).map(targetAsk),
    ...(forCommands.includes(name) ? [`the value of the variable ${name}, for commands in the workspace`] : [])
  ])
}

const targetAsk = ({ header, host, name, port, pulls = [] }: SecretTarget) =>
  `the value of the variable ${name}, for requests to ${host}:${port}${
    header === undefined ? "" : ` in the header ${header}`
  }${pulls.length === 0 ? "" : ` that pull ${[...pulls].sort().join(", ")}`}`

/** A file that no longer wants to ask before each login asks for more. */
const agentAsks = ({ sshAgent }: Definition) =>
  (sshAgent?.hosts ?? []).map((host) =>
    `logins to ${host} with your SSH agent, while the workspace exists${
      sshAgent?.ask === true ? ", each after a question" : ""
    }`
  )

const KINDS = { dockerfile: "the Dockerfile", devcontainer: "the dev container" } as const

const buildAsk = ({ of, registries, shown }: ProjectBuild) =>
  // A directory's name can have the words of a question.
  `a build of ${KINDS[of]} ${typed([shown])}${
    registries.length === 0
      ? ""
      : `, with images${of === "devcontainer" ? " and features" : ""} from ${
        registries.map(registryInWords).join(", ")
      }, with your logins there`
  }`

const imageAsk = (environment: string) => {
  const { name, registry } = parseReference(environment)!
  const from = kindOfRegistry(registry) === "loopback" ? registryInWords(registry) : "its registry"
  return `the image ${name}, from ${from}, with your login there`
}

const imageAsks = ({ build = {}, environment }: Definition, built: ProjectBuild | undefined) => [
  ...(environment !== undefined && parseReference(environment) !== undefined
    ? [imageAsk(environment)]
    : []),
  ...(built === undefined
    ? []
    : [
      buildAsk(built),
      ...(build.allowHosts ?? []).map((host) => `connections to ${placeOf(host)} during the build`)
    ])
]
