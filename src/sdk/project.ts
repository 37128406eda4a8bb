import { Either } from "effect"
import { InvalidRequest } from "../contract/errors.ts"
import {
  absolutePath,
  gitRootOf,
  homeDirectory,
  isBeneath,
  isDirectory,
  realPath,
  realPlace,
  workingDirectory
} from "../system/host-path.ts"

/** What the person who starts a server says of the host's files. */
export interface ProjectOptions {
  /** Directory to work on. */
  readonly projectPath?: string | undefined
  /** Git repository that workspaces start with instead of the directory. */
  readonly repoUrl?: string | undefined
  readonly repoRef?: string | undefined
  /** Directories that a model may name as a source, beside the project. */
  readonly allowRead?: ReadonlyArray<string> | undefined
  /** Directories that a model may name as a destination, beside the project. */
  readonly allowExport?: ReadonlyArray<string> | undefined
}

/**
 * What of the host a model can name: paths beneath the bound directory, all links followed, and beneath what it was allowed beside. With
 * no directory bound it can name none.
 */
export interface Project {
  /** Real path of the bound directory. */
  readonly path: string | undefined
  readonly repoUrl: string | undefined
  readonly repoRef: string | undefined
  /** The real path of a source that a model named. */
  readonly source: (argument: string, named: string) => Either.Either<string, InvalidRequest>
  /** The real place of a destination that a model named; whether something is there is the export's own to judge. */
  readonly destination: (argument: string, named: string) => Either.Either<string, InvalidRequest>
}

/** Variable in which Claude Code names the project. */
const HOST_PROJECT = "CLAUDE_PROJECT_DIR"

/**
 * Binds a project: the directory that was named, else the one that the host names, else the git work tree of the working directory. A
 * home directory and `/` are no projects: named they are refused, found they are passed over.
 */
export const bindProject = (
  options: ProjectOptions,
  environment: Readonly<Record<string, string | undefined>>
): Either.Either<Project, InvalidRequest> =>
  Either.gen(function*() {
    const cwd = workingDirectory()
    const base = options.projectPath === undefined
      ? yield* found(environment[HOST_PROJECT] || gitRootOf(cwd))
      : yield* directory("--project-path", options.projectPath)
    if (options.projectPath !== undefined && tooMuch(base!)) {
      return yield* refuse("--project-path", `${base} is no project; name the directory of one`)
    }
    const reading = yield* Either.all((options.allowRead ?? []).map((one) => directory("--allow-read", one)))
    const writing = yield* Either.all((options.allowExport ?? []).map((one) => directory("--allow-export", one)))
    const own = base === undefined ? [] : [base]
    return {
      path: base,
      repoUrl: options.repoUrl,
      repoRef: options.repoRef,
      source: (argument, named) =>
        Either.gen(function*() {
          if (named === "") return yield* refuse(argument, "must not be empty")
          const meant = absolutePath(named, base ?? cwd)
          const real = realPath(meant)
          // What is outside is not even told to be there or not.
          if (!within(real ?? realPlace(meant), [...own, ...reading])) {
            return yield* outside(argument, named, base, "--allow-read")
          }
          return real ?? (yield* refuse(argument, `${named} is not there; paths are relative to ${base ?? cwd}`))
        }),
      destination: (argument, named) =>
        Either.gen(function*() {
          if (named === "") return yield* refuse(argument, "must not be empty")
          // What a command line calls its standard output; a model that means it gets a file of that name.
          if (named === "-") return yield* refuse(argument, "must name a file or a directory")
          const place = realPlace(absolutePath(named, base ?? cwd))
          if (!within(place, [...own, ...writing])) return yield* outside(argument, named, base, "--allow-export")
          return place
        })
    }
  })

const refuse = (field: string, detail: string) => Either.left(new InvalidRequest({ field, detail }))

const within = (real: string, folders: ReadonlyArray<string>) => folders.some((folder) => isBeneath(real, folder))

const tooMuch = (real: string) => isBeneath(homeDirectory(), real)

const found = (folder: string | undefined): Either.Either<string | undefined, InvalidRequest> => {
  const real = folder === undefined ? undefined : realPath(folder)
  return Either.right(real === undefined || !isDirectory(real) || tooMuch(real) ? undefined : real)
}

const directory = (flag: string, named: string): Either.Either<string, InvalidRequest> => {
  const real = realPath(absolutePath(named, workingDirectory()))
  return real !== undefined && isDirectory(real) ? Either.right(real) : refuse(flag, `${named} is no directory`)
}

const outside = (argument: string, named: string, base: string | undefined, flag: string) =>
  refuse(
    argument,
    base === undefined
      ? `this server is bound to no project, so no path of the host can be named; the user starts it with --project-path DIR or ${flag} DIR`
      : `${named} lies outside of the project ${base}; the user can allow more by starting the server with ${flag} DIR`
  )
