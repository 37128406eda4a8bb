import { Result } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { command, type NextStep, option } from "../contract/errors/next-step.ts"
import { type NetworkCeiling, noNetwork, readCeiling } from "../contract/rows/network-ceiling.ts"
import { secretTargetOf } from "../contract/rows/secret-target.ts"
import { isImagePattern } from "../contract/text/image-reference.ts"
import type { CallerPlaces, CallerProject } from "../contract/wire/caller-project.ts"
import { absolutePath, isBeneath, realPath, realPlace, workingDirectory } from "../system/files/host-path.ts"
import { processEnvironment } from "../system/settings/config.ts"
import { projectDirectories, type ProjectOptions } from "./project-directories.ts"

export type { ProjectOptions } from "./project-directories.ts"

/**
 * Host paths that a model can name: paths beneath the bound directory, with all links resolved, and beneath allowed directories. None
 * without a bound directory.
 */
export interface Project extends
  Pick<
    ProjectOptions,
    | "repoUrl"
    | "repoRef"
    | "allWorkspaces"
    | "includeIgnored"
    | "environment"
    | "allowImages"
    | "askExport"
    | "created"
    | "git"
    | "workspaceUser"
    | "secrets"
    | "secretHttp"
    | "secretCommands"
  >
{
  /** Real path of the bound directory. */
  readonly path: string | undefined
  /** Directory of the session beneath the bound directory, relative to it. @default the bound directory */
  readonly session?: string | undefined
  /** Whether the client's first root, if it can be a project, becomes the bound directory. @default false */
  readonly awaitsRoot?: boolean
  /** The real path of a source that a model named. */
  readonly source: (argument: string, named: string) => Result.Result<string, InvalidRequest>
  /** The real place of a destination that a model named. The export checks whether it exists. */
  readonly destination: (argument: string, named: string) => Result.Result<string, InvalidRequest>
  /** Directories that the daemon opens for a model's paths, without following links. */
  readonly places?: CallerPlaces | undefined
  /** Widest network that a model may grant to a workspace. @default off */
  readonly networkCeiling?: NetworkCeiling
}

/** Permissions of a model beside files. */
export const grantsOf = ({ networkCeiling = noNetwork }: Pick<Project, "networkCeiling">) => ({
  network: networkCeiling.networkPolicy !== "off"
})

/** The caller of a model's requests: each reaches the workspaces of the project. `client`: the MCP client's name for itself. */
export const callerOf = (
  { allWorkspaces = false, networkCeiling = noNetwork, path, places, repoUrl }: Project,
  client?: string
): CallerProject => ({
  project: path ?? (repoUrl === undefined ? "" : withoutCredentials(repoUrl)),
  all: allWorkspaces,
  networkCeiling,
  places,
  ...(client === undefined ? {} : { client })
})

/** A URL in the form of a workspace's record. */
const withoutCredentials = (url: string) => {
  try {
    const { host, pathname, protocol } = new URL(url)
    return `${protocol}//${host}${pathname}`
  } catch {
    return url
  }
}

const CEILING_FORMS = "must be off, egress or egress+published-ports, or one of the latter two with :HOST,HOST"

/** Binds a project. Fails with the option that names no valid directory. */
export const bindProject = (
  options: ProjectOptions,
  environment: Readonly<Record<string, string | undefined>> = processEnvironment()
): Result.Result<Project, InvalidRequest> =>
  Result.gen(function*() {
    const cwd = workingDirectory()
    const directories = projectDirectories(options, environment)
    if ("flag" in directories) return yield* refuse(directories.flag, directories.detail)
    const { awaitsRoot, base, reading, session, writing } = directories
    const own = base === undefined ? [] : [base]
    const networkCeiling = readCeiling(options.networkCeiling ?? "off") ??
      (yield* refuse("--network-ceiling", CEILING_FORMS))
    const { allowImages = [], secretCommands = [], secretHttp = [], secrets = {} } = options
    const wide = allowImages.find((pattern) => !isImagePattern(pattern))
    if (wide !== undefined) {
      return yield* refuse("--allow-image", `${wide} must be HOST/REPOSITORY:TAG; * stands for any text after HOST/`)
    }
    const valueless = secretHttp.map((item) => secretTargetOf(item)?.name).find((name) => !(name! in secrets))
    if (valueless !== undefined) {
      return yield* refuse("--secret-http", `there is no secret ${valueless}`, [
        option(`Add the secret ${valueless}`, "secrets")
      ])
    }
    const absent = secretCommands.find((name) => !(name in secrets))
    if (absent !== undefined) {
      return yield* refuse("--secret-commands", `there is no secret ${absent}`, [
        option(`Add the secret ${absent}`, "secrets")
      ])
    }
    return {
      ...options,
      path: base,
      session,
      awaitsRoot,
      places: { reading: [...own, ...reading], writing: [...own, ...writing] },
      networkCeiling,
      source: (argument, named) =>
        Result.gen(function*() {
          if (named === "") return yield* refuse(argument, "must not be empty")
          const meant = absolutePath(named, base ?? cwd)
          const real = realPath(meant)
          // The error does not reveal whether an outside path exists.
          if (!within(real ?? realPlace(meant), [...own, ...reading])) {
            return yield* outside(argument, named, base, "--allow-read")
          }
          return real ?? (yield* refuse(argument, `${named} is not there; paths are relative to ${base ?? cwd}`))
        }),
      destination: (argument, named) =>
        Result.gen(function*() {
          if (named === "") return yield* refuse(argument, "must not be empty")
          // Name of the standard output on a command line. For a model it names a file.
          if (named === "-") return yield* refuse(argument, "must name a file or a directory")
          const place = realPlace(absolutePath(named, base ?? cwd))
          if (!within(place, [...own, ...writing])) return yield* outside(argument, named, base, "--allow-export")
          return place
        })
    }
  })

const refuse = (field: string, detail: string, next: ReadonlyArray<NextStep> = []) =>
  Result.fail(new InvalidRequest({ field, detail, next }))

const within = (real: string, folders: ReadonlyArray<string>) => folders.some((folder) => isBeneath(real, folder))

/** `flag`: the option of a server by which its user allows a directory. */
const outside = (argument: string, named: string, base: string | undefined, flag: string) =>
  base === undefined
    ? refuse(argument, "this server is bound to no project, so no path of the host can be named", [
      command("Bind the server to a project", "pyro mcp serve --project-path DIR"),
      command("Or allow a directory", `pyro mcp serve ${flag} DIR`)
    ])
    : refuse(argument, `${named} lies outside of the project ${base}`, [
      command("Allow more", `pyro mcp serve ${flag} DIR`)
    ])
