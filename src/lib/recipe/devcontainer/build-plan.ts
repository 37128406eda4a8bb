import { Result } from "effect"
import * as path from "node:path"
import { parseReference } from "../../../contract/text/image-reference.ts"
import { named } from "../../../contract/text/names.ts"
import type { File } from "./file.ts"
import { PROJECT, substituted, type Variables } from "./variables.ts"

/** A feature, and what its install script gets. */
interface Feature {
  /** Its name in the file: a reference in a registry, or a path that begins with `./`. */
  readonly id: string
  readonly options: Readonly<Record<string, string>>
}

/** An environment of this host. It becomes a line of a Dockerfile, so it has no other characters. */
const ENVIRONMENT = /^localhost\/[a-z0-9][a-z0-9._-]{0,62}(:[a-z0-9][a-z0-9._-]{0,62})?$/

/** What becomes the image of a workspace. */
export interface BuildPlan {
  readonly base:
    | { readonly _tag: "image"; readonly reference: string }
    | {
      readonly _tag: "dockerfile"
      /** Relative to the folder of devcontainer.json, as `context` is. */
      readonly file: string
      readonly context: string
      readonly target: string | undefined
      readonly arguments: Readonly<Record<string, string>>
    }
  readonly features: ReadonlyArray<Feature>
  /** Features that go first, in this order. */
  readonly order: ReadonlyArray<string>
  readonly remoteUser: string | undefined
  readonly containerUser: string | undefined
  /** Places where the file expects the project; the image gets links to /workspace there. */
  readonly links: ReadonlyArray<string>
}

const optionsOf = (given: NonNullable<File["features"]>[string]): Feature["options"] =>
  typeof given === "string"
    ? { version: given }
    : typeof given === "boolean"
    ? {}
    : named(Object.entries(given).map(([name, value]) => [name, String(value)]))

/** Short names of features whose repository has another one. */
const renamed: Readonly<Record<string, string>> = named([["golang", "go"], ["common", "common-utils"]])

/**
 * The reference of a feature. A short name, which older files have, is one of the collection of containers.dev, as for the reference
 * implementation.
 */
const featureOf = (id: string) =>
  /^[a-z][a-z0-9-]*$/.test(id) ? `ghcr.io/devcontainers/features/${renamed[id] ?? id}:1` : id

/** Where container engines would mount the project. */
const mountPoint = ({ workspaceMount = "" }: File, { folderName }: Pick<Variables, "folderName">) =>
  /(?:^|,)(?:target|destination|dst)=([^,]+)/.exec(workspaceMount)?.[1] ?? `/workspaces/${folderName}`

/** The directory of commands in a workspace, and the other names of /workspace that the file may use. */
export const folderOf = (file: File, variables: Omit<Variables, "folder">) => {
  const inFile = (text: string) => path.posix.resolve("/", substituted(text, { ...variables, folder: PROJECT }))
  const mounted = inFile(mountPoint(file, variables))
  const wanted = file.workspaceFolder === undefined ? mounted : inFile(file.workspaceFolder)
  const beneath = [mounted, PROJECT].find((one) => wanted === one || wanted.startsWith(`${one}/`))
  const links = [...new Set([mounted, ...beneath === undefined ? [wanted] : []])].filter((one) =>
    one !== "/" && one !== PROJECT && !one.startsWith(`${PROJECT}/`)
  )
  return { folder: beneath === undefined ? PROJECT : PROJECT + wanted.slice(beneath.length), links }
}

const COMPOSE =
  "it names a dockerComposeFile, and pyro builds one container. Write a devcontainer.json with the image or the Dockerfile of its main service, or " +
  "run docker compose in a workspace of the environment debian:13-docker (docs/docker.md)"

const NO_BASE =
  "it names neither an image nor a Dockerfile, and each host of dev containers takes another one then. Add the one that the project means, such as " +
  "\"image\": \"mcr.microsoft.com/devcontainers/universal:2\" of GitHub Codespaces"

/** The build that a devcontainer.json asks for. The failure is a sentence. */
export const planOf = (file: File, given: Omit<Variables, "folder">): Result.Result<BuildPlan, string> => {
  if (file.dockerComposeFile !== undefined) return Result.fail(COMPOSE)
  const { folder, links } = folderOf(file, given)
  const real = (text: string) => substituted(text, { ...given, folder })
  const { build = {}, features = {}, image, overrideFeatureInstallOrder: order = [] } = file
  const dockerfile = build.dockerfile ?? file.dockerFile
  const rest = {
    features: Object.entries(features).map(([id, options]) => ({ id: featureOf(id), options: optionsOf(options) })),
    order: order.map(featureOf),
    remoteUser: file.remoteUser === undefined ? undefined : real(file.remoteUser),
    containerUser: file.containerUser === undefined ? undefined : real(file.containerUser),
    links
  }
  if (dockerfile !== undefined) {
    return Result.succeed({
      base: {
        _tag: "dockerfile",
        file: real(dockerfile),
        context: real(build.context ?? file.context ?? "."),
        target: build.target === undefined ? undefined : real(build.target),
        arguments: named(Object.entries(build.args ?? {}).map(([name, value]) => [name, real(value)]))
      },
      ...rest
    })
  }
  if (image === undefined) return Result.fail(NO_BASE)
  const text = real(image)
  // A short name is an image of Docker Hub, as in a Dockerfile, and so is localhost/NAME an environment of this host.
  const reference = ENVIRONMENT.test(text) ? text : (parseReference(text) ?? parseReference(`docker.io/${text}`))?.name
  return reference === undefined
    ? Result.fail(`image: "${text.slice(0, 200)}" is no reference of an image`)
    : Result.succeed({ base: { _tag: "image", reference }, ...rest })
}
