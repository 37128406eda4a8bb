import { Effect, Redacted } from "effect"
import { secretTargetOf } from "../contract/rows/secret-target.ts"
import type { GitHistory, WorkspaceUser } from "../contract/rows/workspace-field.ts"
import { parseReference } from "../contract/text/image-reference.ts"
import { named } from "../contract/text/names.ts"
import { oneLine, someLines } from "../contract/text/one-line.ts"
import { Paths } from "../system/files/Paths.ts"
import { processEnvironment } from "../system/settings/config.ts"
import { isLossyVariable } from "../system/settings/own-bytes.ts"
import { asksOfFile } from "./asks.ts"
import type { Definition } from "./definition.ts"
import { readProjectIn } from "./file.ts"
import { openAsks } from "./granted.ts"
import { type Memory, recall } from "./memory.ts"
import { commandNamesOf } from "./requests.ts"

/** Values of a project's file for workspaces that a server or an agent makes. Options of a command line win. */
export interface Defaults {
  readonly environment?: string
  readonly git?: GitHistory
  readonly workspaceUser?: WorkspaceUser
  /** Further fields of the request for a new workspace, by their JSON names: sizes, variables, directory. */
  readonly created?: Readonly<Record<string, unknown>>
  /** Of a file whose asks the person granted. */
  readonly includeIgnored?: ReadonlyArray<string>
  readonly allowHosts?: ReadonlyArray<string>
  readonly networkCeiling?: string
  readonly secrets?: Readonly<Record<string, Redacted.Redacted>>
  readonly secretHttp?: ReadonlyArray<string>
  readonly secretCommands?: ReadonlyArray<string>
}

interface Found {
  readonly defaults: Defaults
  /** A sentence for the person about what is not used. */
  readonly note?: string
}

/**
 * What the file of a directory says for new workspaces. A file that cannot be used gives no values and a note: its author must not keep an agent from
 * its work. Values that the person has not granted by `pyro up` are left out.
 */
export const defaultsOf = (
  directory: string,
  variable: (name: string) => string | undefined = (name) => processEnvironment()[name]
): Effect.Effect<Found> =>
  Effect.gen(function*() {
    const file = yield* readProjectIn(directory)
    if (file === undefined) return { defaults: {} }
    const memory = yield* recall(file.directory)
    const open = openAsks(yield* asksOfFile(file), memory)
    return {
      defaults: {
        ...ungranted(file.definition),
        ...(open.length === 0 ? granted(file.definition, memory, variable) : {})
      },
      ...(open.length === 0
        ? {}
        : { note: `${oneLine(file.path)} asks for more, which pyro up grants: ${someLines(open, 5).join("; ")}` })
    }
  }).pipe(
    Effect.provide(Paths.layer),
    Effect.catch(({ message }) => Effect.succeed<Found>({ defaults: {}, note: message }))
  )

const ungranted = ({ cpus, cwd, disk, env, environment, memory, seed, user }: Definition): Defaults => ({
  ...(environment === undefined || parseReference(environment) !== undefined
    ? {}
    : { environment }),
  ...(seed?.git === undefined ? {} : { git: seed.git }),
  ...(user === undefined ? {} : { workspaceUser: user }),
  created: named(
    Object.entries({ vcpu_count: cpus, memory_mib: memory, disk_mib: disk, env, cwd }).filter(([, value]) =>
      value !== undefined
    )
  )
})

const granted = (
  definition: Definition,
  { built }: Memory,
  variable: (name: string) => string | undefined
): Defaults => {
  const { devcontainer, dockerfile, environment, network, secretHttp = [], secrets = [], seed } = definition
  const reference = environment === undefined ? undefined : parseReference(environment)
  const image = (dockerfile ?? devcontainer) === undefined ? reference?.name : built
  const ceiling = ceilingOf(network)
  const valued = secrets.filter((name) => {
    const value = variable(name) ?? ""
    return value !== "" && !isLossyVariable(name, value)
  })
  return {
    ...(image === undefined ? {} : { environment: image }),
    ...(seed?.includeIgnored === undefined ? {} : { includeIgnored: seed.includeIgnored }),
    ...(ceiling === undefined ? {} : { networkCeiling: ceiling, allowHosts: network?.allowHosts ?? [] }),
    ...(valued.length === 0 ? {} : {
      secrets: named(valued.map((name) => [name, Redacted.make(variable(name)!)] as const)),
      secretHttp: secretHttp.filter((item) => valued.includes(secretTargetOf(item)?.name ?? "")),
      secretCommands: commandNamesOf(definition).filter((name) => valued.includes(name))
    })
  }
}

/** The file's network as the widest one of a model. A ceiling has neither denied hosts nor addresses: a file with these gives none. */
const ceilingOf = (network: Definition["network"]): string | undefined => {
  const { allowHosts = [], allowIps = [], denyHosts = [], policy } = network ?? {}
  if (policy === "off" || denyHosts.length + allowIps.length > 0) return undefined
  if (policy === undefined && allowHosts.length === 0) return undefined
  return `${policy ?? "egress"}${allowHosts.length === 0 ? "" : `:${allowHosts.join(",")}`}`
}
