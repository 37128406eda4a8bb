import { Option, Schema } from "effect"
import * as path from "node:path"
import type { Notice } from "../../contract/rows/notice.ts"
import { named } from "../../contract/text/names.ts"
import { sha256Text } from "../../system/files/digest.ts"
import { folderOf } from "./devcontainer/build-plan.ts"
import { type File, Metadata, type ReadFile } from "./devcontainer/file.ts"
import { CREATE_COMMANDS, type LifecycleSteps, START_COMMANDS, stepsOf } from "./devcontainer/lifecycle.ts"
import { notesOf, portsOf } from "./devcontainer/notes.ts"
import { askedOfHost, devContainerId, substituted, type Variables } from "./devcontainer/variables.ts"

export { type BuildPlan, planOf } from "./devcontainer/build-plan.ts"
export { dependenciesOf, type ReadFile, readFile } from "./devcontainer/file.ts"
export { type LifecycleStep, LifecycleSteps } from "./devcontainer/lifecycle.ts"

/** Place of a devcontainer.json, and the person's options. */
export interface Place {
  /** The project: a directory of the host. */
  readonly project: string
  /** The file itself. */
  readonly file: string
  readonly given: Variables["given"]
}

export const variablesOf = ({ file, given, project }: Place): Omit<Variables, "folder"> => ({
  folderName: path.basename(project),
  id: devContainerId({ "devcontainer.local_folder": project, "devcontainer.config_file": file }),
  given
})

/** Names of variables of the host that a file asks for. */
export const namesOfHost = (text: string): ReadonlyArray<string> => [...new Set(askedOfHost(text, {}))].sort()

/** One digest of all that decides a build. */
export const digestOf = (parts: ReadonlyArray<unknown>): string => sha256Text(JSON.stringify(parts))

/** The name of the environment of a project's file, if the person gives none. */
export const environmentNameOf = ({ file, project }: Pick<Place, "file" | "project">): string =>
  nameOfFile("devcontainer", file, project)

/** A name for the environment of a file of a project, always the same for the same path of the file. */
export const nameOfFile = (kind: "devcontainer" | "dockerfile", file: string, project: string): string => {
  const word = path.basename(project).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 32)
  return `${kind}-${word === "" ? "project" : word}-${digestOf([file]).slice(0, 8)}`
}

/** Properties of a workspace of a devcontainer.json, beside its image. */
export interface DevContainer {
  readonly env: Readonly<Record<string, string>>
  /** Directory of its commands. */
  readonly cwd: string
  readonly steps: LifecycleSteps
  /** Ports of the guest that the file forwards. */
  readonly ports: ReadonlyArray<number>
  readonly notes: ReadonlyArray<Notice>
}

const decodeLabel = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Array(Metadata)))

/** The parts of the label `devcontainer.metadata` of an image, as a builder gave it. Empty for a label of another form. */
const labelsOf = (label: string | undefined): ReadonlyArray<Metadata> =>
  label === undefined ? [] : Option.getOrElse(decodeLabel(label), () => [])

/** PATH of commands in an image that names none. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const pairs = (env: ReadonlyArray<string>) =>
  named(env.flatMap((text) => {
    const at = text.indexOf("=")
    return at > 0 ? [[text.slice(0, at), text.slice(at + 1)] as const] : []
  }))

/** Variables of the container, then of its commands. */
const variables = (file: File, labels: ReadonlyArray<Metadata>, imageEnv: ReadonlyArray<string>, given: Variables) => {
  const parts: ReadonlyArray<Pick<File, "containerEnv" | "remoteEnv">> = [...labels, file]
  const own = named(parts.flatMap(({ containerEnv = {} }) => Object.entries(containerEnv)))
  const ofImage = pairs([`PATH=${DEFAULT_PATH}`, ...imageEnv])
  const substitute = (value: string) => substituted(value, { ...given, container: ofImage })
  const container = named([
    ...Object.entries(ofImage),
    ...Object.entries(own).map(([name, value]) => [name, substitute(value)] as const)
  ])
  const known = { ...given, container }
  const remote = parts.flatMap(({ remoteEnv = {} }) => Object.entries(remoteEnv)).map(([name, value]) =>
    [name, value === null ? undefined : substituted(value, known)] as const
  )
  const env = named<string>(Object.keys(own).map((name) => [name, container[name] ?? ""]))
  for (const [name, value] of remote) {
    if (value === undefined) delete env[name]
    else env[name] = value
  }
  return { env, known }
}

/**
 * What a devcontainer.json says of a workspace whose image has these variables and this label. Pure: nothing of the host enters but what
 * `place` has.
 */
export const devContainerOf = (
  { file, unknown }: ReadFile,
  place: Place,
  image: { readonly env: ReadonlyArray<string>; readonly label: string | undefined },
  { forwarded = false, named }: { readonly forwarded?: boolean; readonly named?: string } = {}
): DevContainer => {
  const fixed = variablesOf(place)
  const { folder } = folderOf(file, fixed)
  const labels = labelsOf(image.label)
  const { env, known } = variables(file, labels, image.env, { ...fixed, folder })
  const substitute = (text: string) => substituted(text, known)
  const parts = [...labels, file]
  return {
    env,
    cwd: folder,
    steps: {
      create: stepsOf(CREATE_COMMANDS, parts, substitute),
      start: stepsOf(START_COMMANDS, parts, substitute)
    },
    ports: portsOf(parts),
    notes: notesOf(file, labels, { forwarded, given: place.given, named, unknown })
  }
}
