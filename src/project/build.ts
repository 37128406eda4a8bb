import { Effect } from "effect"
import * as path from "node:path"
import { ProjectFileInvalid } from "../contract/errors/errors.ts"
import { type Bases, basesOf, type NamedEnvironment } from "../lib/recipe/dockerfile.ts"
import { basesOfPlan, devContainerAt, planned } from "../lib/seeding/devcontainer-plan.ts"
import { readDockerfile } from "../lib/seeding/dockerfile.ts"
import { isBeneath, realPath } from "../system/files/host-path.ts"
import type { ProjectFile } from "./file.ts"

/** What a project builds its environment of. */
export interface ProjectBuild {
  readonly of: "devcontainer" | "dockerfile"
  /** Real path, beneath the project. */
  readonly path: string
  /** The same for people, relative to the project. */
  readonly shown: string
  /** Registries that the build reaches, sorted. */
  readonly registries: ReadonlyArray<string>
  /** Environments of this host that its files name. */
  readonly environments: ReadonlyArray<NamedEnvironment & { readonly path: string }>
}

const environmentsOf = ({ environments = [] }: Bases, path: string) => environments.map((one) => ({ path, ...one }))

/** A file or directory of the project. A link in the repository may lead to files of the person, which a builder with a network would get. */
const insideOf = ({ directory, path: file }: ProjectFile, key: string, named: string) => {
  const place = path.join(directory, named)
  const real = realPath(place) ?? place
  return isBeneath(real, directory)
    ? Effect.succeed(real)
    : Effect.fail(new ProjectFileInvalid({ path: file, key, detail: `${named} leads out of the project` }))
}

/** What the person allows: registries, and environments of this host. */
const registriesOf = ({ environments = [], images }: Pick<Bases, "environments" | "images">) =>
  [...new Set([...images.map(({ reference: { registry } }) => registry), ...environments.map(({ image }) => image)])]
    .sort()

const ofDockerfile = (file: ProjectFile, named: string) =>
  Effect.gen(function*() {
    const real = yield* insideOf(file, "dockerfile", named)
    // The build says what is wrong with a file that it cannot read.
    const found = yield* Effect.orElseSucceed(readDockerfile(real), () => undefined)
    const { args, target } = file.definition.build ?? {}
    const bases = yield* basesOf(found?.text ?? "", { arguments: args ?? {}, target })
    const environments = environmentsOf(bases, found === undefined ? real : path.join(found.context, found.file))
    return {
      of: "dockerfile",
      path: real,
      shown: named,
      registries: registriesOf(bases),
      environments
    } satisfies ProjectBuild
  })

const ofDevContainer = (file: ProjectFile, named: string) =>
  Effect.gen(function*() {
    const { definition: { env = {} }, directory, path: place } = file
    const real = yield* insideOf(file, "devcontainer", named)
    return yield* Effect.gen(function*() {
      const known = yield* devContainerAt(real, env)
      const { inputs, plan } = yield* planned(known, {})
      const { bases } = yield* basesOfPlan(plan, inputs, {})
      return {
        of: "devcontainer",
        path: known.found.file,
        shown: path.relative(directory, known.found.file),
        registries: registriesOf(bases),
        environments: environmentsOf(bases, known.found.file)
      } satisfies ProjectBuild
    }).pipe(
      Effect.mapError(({ detail, path: wrong }) =>
        new ProjectFileInvalid({
          path: place,
          key: "devcontainer",
          detail: `${path.relative(directory, wrong)}: ${detail}`
        })
      )
    )
  })

/** What a file builds its environment of, read as the build will read it. Undefined: it names an environment, or none. */
export const buildOf = (file: ProjectFile): Effect.Effect<ProjectBuild | undefined, ProjectFileInvalid> => {
  const { devcontainer, dockerfile } = file.definition
  return dockerfile !== undefined
    ? ofDockerfile(file, dockerfile)
    : devcontainer !== undefined
    ? ofDevContainer(file, devcontainer === true ? "." : devcontainer)
    : Effect.succeed(undefined)
}
