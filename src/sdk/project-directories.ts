import type { Secrets } from "../contract/rows/secret-fields.ts"
import type { GitHistory, WorkspaceUser } from "../contract/rows/workspace-field.ts"
import {
  absolutePath,
  canBeProject,
  isBeneath,
  isDirectory,
  pathOfUrl,
  projectAround,
  realPath,
  workingDirectory
} from "../system/files/host-path.ts"

export { mayHaveProjectFile } from "../system/files/host-path.ts"

/** Permissions that the person who starts a server gives on the host's files. */
export interface ProjectOptions {
  /** Directory to work on. */
  readonly projectPath?: string | undefined
  /** Git repository to seed workspaces with, instead of the directory. */
  readonly repoUrl?: string | undefined
  readonly repoRef?: string | undefined
  /** Directories that a model may name as a source, beside the project. */
  readonly allowRead?: ReadonlyArray<string> | undefined
  /** Directories that a model may name as a destination, beside the project. */
  readonly allowExport?: ReadonlyArray<string> | undefined
  /** A model also reaches workspaces of other projects. @default false */
  readonly allWorkspaces?: boolean | undefined
  /** Globs of ignored files of the directory that are copied to each workspace. */
  readonly includeIgnored?: ReadonlyArray<string> | undefined
  /** Environment if a model names none. @default the tool's own */
  readonly environment?: string | undefined
  /** Images that a model may have pulled: full references, in which `*` is any text. @default that of `environment` */
  readonly allowImages?: ReadonlyArray<string> | undefined
  /** Each export of a model waits until the user allows it. @default false */
  readonly askExport?: boolean | undefined
  /** Further fields of the request for a new workspace that a model does not name, by their JSON names. @default none */
  readonly created?: Readonly<Record<string, unknown>> | undefined
  /** Git history to copy if a model names none. @default shallow */
  readonly git?: GitHistory | undefined
  /** Owner of /workspace if a model names none. @default root */
  readonly workspaceUser?: WorkspaceUser | undefined
  /** Widest network that a model may grant: `off`, `egress`, or `egress:HOST,HOST`. @default off */
  readonly networkCeiling?: string | undefined
  /** Secrets of every workspace that a model makes. A model knows their names. @default none */
  readonly secrets?: Secrets | undefined
  /** Hosts that get a secret in place of its placeholder: NAME@HOST[:PORT][:HEADER]. @default none */
  readonly secretHttp?: ReadonlyArray<string> | undefined
  /** Names of secrets whose values commands can have although a host gets them. @default none */
  readonly secretCommands?: ReadonlyArray<string> | undefined
}

/** Real paths of the directories that a server is bound to. */
export interface ProjectDirectories {
  readonly base: string | undefined
  /** Directory of the session beneath the base, relative to it. Undefined: the base itself, or a directory elsewhere. */
  readonly session: string | undefined
  /** No project is named, and the working directory cannot be one: a root of the client decides. */
  readonly awaitsRoot: boolean
  readonly reading: ReadonlyArray<string>
  readonly writing: ReadonlyArray<string>
}

/** Why a server cannot be bound to the directories of its options. */
export interface Refusal {
  readonly flag: string
  readonly detail: string
}

/** Variable in which Claude Code names the project. */
const HOST_PROJECT = "CLAUDE_PROJECT_DIR"

/**
 * The named directory, else the host's directory, else the git work tree of the working directory, else the working directory. A home directory
 * and `/` are no projects: an explicit one is an error, a found one is skipped. A root of the client comes last (`src/mcp/roots.ts`). Loads nothing and starts no process, because `pyro mcp serve`
 * needs the directory for its first answer.
 */
export const projectDirectories = (
  options: ProjectOptions,
  environment: Readonly<Record<string, string | undefined>>
): ProjectDirectories | Refusal => {
  const { allowExport = [], allowRead = [], projectPath, repoUrl } = options
  const named = environment[HOST_PROJECT] ?? ""
  const base = projectPath === undefined ? found(named) : directory(projectPath)
  const awaitsRoot = base === undefined && named === "" && repoUrl === undefined
  if (projectPath !== undefined) {
    if (base === undefined) return notThere("--project-path", projectPath)
    if (!canBeProject(base)) {
      return { flag: "--project-path", detail: `${base} is no project; name the directory of one` }
    }
  }
  const reading = allDirectories("--allow-read", allowRead)
  if ("flag" in reading) return reading
  const writing = allDirectories("--allow-export", allowExport)
  return "flag" in writing ? writing : { base, session: sessionIn(base), awaitsRoot, reading, writing }
}

/** The working directory beneath a project, such as a package in a monorepo. */
const sessionIn = (base: string | undefined): string | undefined => {
  const real = realPath(workingDirectory())
  return base === undefined || real === undefined || real === base || !isBeneath(real, base)
    ? undefined
    : real.slice(base.length + 1)
}

/** A host's directory that cannot be a project binds nothing: the host does not mean the working directory of the server. */
const found = (named: string): string | undefined => {
  if (named === "") return projectAround(workingDirectory())
  const real = realPath(named)
  return real === undefined || !canBeProject(real) ? undefined : real
}

/** The first of these URLs that names a directory of this host which can be a project, by its real path. */
export const firstProjectOf = (urls: ReadonlyArray<string>): string | undefined =>
  urls.flatMap((url) => pathOfUrl(url) ?? []).map(realPath).find((real) => real !== undefined && canBeProject(real))

const directory = (named: string): string | undefined => {
  const real = realPath(absolutePath(named, workingDirectory()))
  return real !== undefined && isDirectory(real) ? real : undefined
}

const allDirectories = (flag: string, named: ReadonlyArray<string>): ReadonlyArray<string> | Refusal => {
  const real: Array<string> = []
  for (const one of named) {
    const there = directory(one)
    if (there === undefined) return notThere(flag, one)
    real.push(there)
  }
  return real
}

const notThere = (flag: string, named: string): Refusal => ({ flag, detail: `${named} is no directory` })
