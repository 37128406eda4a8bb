import { Effect } from "effect"
import {
  EnvironmentUnknown,
  InvalidRequest,
  ProjectNotAccepted,
  ProjectSecretMissing
} from "../contract/errors/errors.ts"
import { payloadOf } from "../contract/rows/payload-of.ts"
import { Pyro } from "../contract/rows/Pyro.ts"
import { named } from "../contract/text/names.ts"
import { similarEnvironments } from "../contract/text/similar.ts"
import { isLossyVariable } from "../system/settings/own-bytes.ts"
import { asksWith } from "./asks.ts"
import { buildOf, type ProjectBuild } from "./build.ts"
import type { ProjectFile } from "./file.ts"
import { type Memory, remember } from "./memory.ts"
import type { SecretValues } from "./requests.ts"
import type { Surface } from "./surface.ts"

/** What a file asks for and the person has not granted. */
export const openAsks = (asks: ReadonlyArray<string>, { accepted }: Memory): ReadonlyArray<string> =>
  asks.filter((ask) => !accepted.includes(ask))

/** Fails if a build names an environment that this host does not have. A person is not asked for a grant of nothing. */
const demandEnvironments = ({ environments }: ProjectBuild) =>
  Effect.gen(function*() {
    if (environments.length === 0) return
    const listed = yield* (yield* Pyro).env.list(payloadOf("env.list", {}))
    const known = listed.environments.map(({ name }) => name)
    const absent = environments.find(({ environment }) => !known.includes(environment))
    if (absent === undefined) return
    const { environment, line, path } = absent
    return yield* new EnvironmentUnknown({
      environment,
      known,
      similar: similarEnvironments(environment, known),
      path,
      ...(line === undefined ? {} : { line })
    })
  })

/**
 * Asks the person for what a file asks for, unless the person granted all of it before, and remembers the answer. A file that asks for less
 * than before asks nothing, and loses the rest. Gives the build that the question was about.
 */
export const withGrants = (file: ProjectFile, memory: Memory, { grants }: Surface) =>
  Effect.gen(function*() {
    const built = yield* buildOf(file)
    const asks = yield* asksWith(file, built)
    const isAsked = openAsks(asks, memory).length > 0
    if (isAsked && built !== undefined) yield* demandEnvironments(built)
    if (isAsked && !(yield* grants(file.path, asks))) {
      return yield* new ProjectNotAccepted({ path: file.path, asks })
    }
    const granted: Memory = { ...memory, accepted: asks }
    if (asks.join("\n") !== memory.accepted.join("\n")) yield* remember(granted)
    return { memory: granted, built }
  })

/** Values of a file's secrets, from the person's environment. */
export const secretValues = ({ definition: { secrets = [] }, path }: ProjectFile, { variable }: Surface) =>
  Effect.gen(function*() {
    const missing = secrets.filter((name) => (variable(name) ?? "") === "")
    if (missing.length > 0) return yield* new ProjectSecretMissing({ path, names: missing })
    const lossy = secrets.find((name) => isLossyVariable(name, variable(name)!))
    if (lossy !== undefined) {
      const detail = `the variable ${lossy}, a secret of ${path}, is not UTF-8; encode the value first`
      return yield* new InvalidRequest({ field: "", detail })
    }
    return named(secrets.map((name) => [name, variable(name)!])) satisfies SecretValues
  })
