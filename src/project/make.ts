import { Effect } from "effect"
import * as path from "node:path"
import { ProjectFileInvalid } from "../contract/errors/errors.ts"
import { BuildPayload, environmentBuild, environmentPull } from "../contract/rows/environment.ts"
import { Pyro } from "../contract/rows/Pyro.ts"
import { workspaceCreate } from "../contract/rows/workspace-lifecycle.ts"
import { parseReference } from "../contract/text/image-reference.ts"
import { sha256Hex } from "../system/files/digest.ts"
import { isBeneath, realPath } from "../system/files/host-path.ts"
import type { ProjectFile } from "./file.ts"
import { createRequest, decode, type SecretValues } from "./requests.ts"
import type { Surface } from "./surface.ts"

/** Makes the workspace of a project, with its environment. */
export const makeWorkspace = (file: ProjectFile, values: SecretValues, surface: Surface) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const environment = yield* environmentOf(file, surface)
    const request = yield* createRequest(file, {
      environment,
      name: yield* freeName(file),
      values
    })
    const { workspace } = yield* surface.show(workspaceCreate, request, pyro.workspace.create(request))
    return { workspace, environment }
  })

/** Digits that tell directories of one name apart. */
const digitsOf = (directory: string) => sha256Hex(new TextEncoder().encode(directory)).slice(0, 6)

/** The directory's name with the characters that names have. */
const slugOf = (directory: string) =>
  path.basename(directory).replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 50) || "project"

/** The file's name for the workspace, else the directory's name; of another directory with this name, with digits. */
const freeName = ({ definition, directory }: ProjectFile) =>
  Effect.gen(function*() {
    if (definition.name !== undefined) return definition.name
    const { workspaces } = yield* (yield* Pyro).workspace.list({ labels: {} })
    const slug = slugOf(directory)
    const isTaken = workspaces.some(({ name }) => name === slug) || /^ws-[0-9a-f]{10}$/.test(slug)
    return isTaken ? `${slug}-${digitsOf(directory)}` : slug
  })

/** A Dockerfile, or its directory. A link in the repository may lead to files of the person, which a builder with a network would get. */
const dockerfileOf = ({ directory, path: file }: ProjectFile, named: string) => {
  const place = path.join(directory, named)
  const real = realPath(place) ?? place
  return isBeneath(real, directory)
    ? Effect.succeed(real)
    : Effect.fail(
      new ProjectFileInvalid({ path: file, key: "dockerfile", detail: `${named} leads out of the project` })
    )
}

/** The environment of a file, on this host. A Dockerfile is built for each new workspace: its own cache knows what has not changed. */
const environmentOf = (file: ProjectFile, surface: Surface) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const { definition, directory } = file
    const { build = {}, dockerfile, environment = "debian:12" } = definition
    if (dockerfile !== undefined) {
      const request = yield* decode(BuildPayload(), {
        name: `up-${slugOf(directory).toLowerCase()}-${digitsOf(directory)}`,
        dockerfile: yield* dockerfileOf(file, dockerfile),
        target: build.target,
        build_args: build.args,
        allow_hosts: build.allowHosts,
        replace: true
      })
      return (yield* surface.show(environmentBuild, request, pyro.env.build(request))).name
    }
    const reference = parseReference(environment)
    if (reference === undefined) return environment
    const { environments } = yield* pyro.env.list({})
    if (!environments.some(({ name }) => name === reference.name)) {
      const request = { environment: reference.name, force: false }
      yield* surface.show(environmentPull, request, pyro.env.pull(request))
    }
    return reference.name
  })
