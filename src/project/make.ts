import { Effect } from "effect"
import * as path from "node:path"
import { BuildPayload, environmentBuild, environmentPull } from "../contract/rows/environment.ts"
import { nextVm } from "../contract/rows/next-vm-fields.ts"
import { payloadOf } from "../contract/rows/payload-of.ts"
import { Pyro } from "../contract/rows/Pyro.ts"
import { DEFAULT_MEMORY_MIB } from "../contract/rows/workspace-field.ts"
import { workspaceCreate } from "../contract/rows/workspace-lifecycle.ts"
import { parseReference } from "../contract/text/image-reference.ts"
import { kindOfRegistry } from "../lib/recipe/registries.ts"
import { sha256Hex } from "../system/files/digest.ts"
import type { ProjectBuild } from "./build.ts"
import type { ProjectFile } from "./file.ts"
import { agentOf, createRequest, decode, type SecretValues } from "./requests.ts"
import type { Surface } from "./surface.ts"

/** Makes the workspace of a project, with its environment. `built`: the build that the person granted; its files may have changed since. */
export const makeWorkspace = (
  file: ProjectFile,
  built: ProjectBuild | undefined,
  values: SecretValues,
  surface: Surface
) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const asked = yield* createRequest(file, {
      // The creation builds a dev container, unless the environment of the same files is there.
      ...(built?.of === "devcontainer"
        ? { devcontainer: built.path, registries: registriesToAllow(built) }
        : { environment: yield* environmentOf(file, built, surface) }),
      name: yield* freeName(file),
      values,
      agent: agentOf(file.definition, surface.variable)
    })
    const request = yield* surface.withLogins("workspace.create", asked)
    const { workspace } = yield* surface.show(workspaceCreate, request, pyro.workspace.create(request))
    return { workspace, ...(built === undefined ? {} : { built: workspace.environment }) }
  })

/** Registries that the person allowed with the file. */
const registriesToAllow = ({ registries }: ProjectBuild) =>
  registries.filter((registry) => kindOfRegistry(registry) !== "well_known")

/** Digits that tell directories of one name apart. */
const digitsOf = (directory: string) => sha256Hex(new TextEncoder().encode(directory)).slice(0, 6)

/** The directory's name with the characters that names have. */
const slugOf = (directory: string) =>
  path.basename(directory).replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 50) || "project"

/** The file's name for the workspace, else the directory's name; of another directory with this name, with digits. */
const freeName = ({ definition, directory }: ProjectFile) =>
  Effect.gen(function*() {
    if (definition.name !== undefined) return definition.name
    const { workspaces } = yield* (yield* Pyro).workspace.list(payloadOf("workspace.list", {}))
    const slug = slugOf(directory)
    const isTaken = workspaces.some(({ name }) => name === slug) || /^ws-[0-9a-f]{10}$/.test(slug)
    return isTaken ? `${slug}-${digitsOf(directory)}` : slug
  })

/** The environment of a file, on this host. A Dockerfile is built for each new workspace: its own cache knows what has not changed. */
const environmentOf = ({ definition, directory }: ProjectFile, built: ProjectBuild | undefined, surface: Surface) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const { build = {}, environment = "debian:12" } = definition
    if (built !== undefined) {
      const asked = yield* decode(BuildPayload(), {
        name: `up-${slugOf(directory).toLowerCase()}-${digitsOf(directory)}`,
        dockerfile: built.path,
        target: build.target,
        build_args: build.args,
        allow_hosts: [...build.allowHosts ?? [], ...registriesToAllow(built)],
        next_memory_mib: definition.memory ?? DEFAULT_MEMORY_MIB,
        replace: true
      })
      const request = yield* surface.withLogins("env.build", asked)
      return (yield* surface.show(environmentBuild, request, pyro.env.build(request))).name
    }
    const reference = parseReference(environment)
    if (reference === undefined) return environment
    const { environments } = yield* pyro.env.list({})
    if (!environments.some(({ name }) => name === reference.name)) {
      const request = yield* surface.withLogins("env.pull", {
        environment: reference.name,
        force: false,
        ...nextVm({ memoryMib: definition.memory })
      })
      yield* surface.show(environmentPull, request, pyro.env.pull(request))
    }
    return reference.name
  })
