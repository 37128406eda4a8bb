import type { Cancel } from "./common.ts"

/**
 * Options of `up`. The file belongs to its repository, and none of its asks is granted by itself.
 *
 * @example
 * const ws = await pyro.up({ directory: "./shop", consent: true })
 * await pyro.down({ directory: "./shop", delete: true })
 */
export interface UpOptions extends Cancel {
  /**
   * Directory of the project, relative to this program's directory. Default: the nearest one with a `pyro.toml`, from this program's directory
   * to the root of its git work tree.
   */
  readonly directory?: string | undefined
  /**
   * What the program grants of what the file asks for: connections, ports of this host, values of secrets, ignored files, images and builds.
   * `true` grants all of it, and a list these phrases, such as `asks` of a `ProjectNotAccepted` that a person has seen. pyro remembers a grant,
   * also for the command line. Default: only what was granted before.
   */
  readonly consent?: true | ReadonlyArray<string> | undefined
  /** Delete the project's workspace first, with its files. Default: false. */
  readonly recreate?: boolean | undefined
  /** Values of the secrets that the file names. Default: variables of this program's environment. */
  readonly secrets?: Readonly<Record<string, string>> | undefined
  /** Gets a line about each longer step, and one for each key of the file that only a new workspace can have. */
  readonly onLine?: ((line: string) => void) | undefined
}

/** Options of `down`. */
export interface DownOptions extends Cancel {
  /** Directory of the project, as of `up`. */
  readonly directory?: string | undefined
  /** Delete the workspace with its files. Default: pause it. */
  readonly delete?: boolean | undefined
}

/** What became of the workspace of a project. `unchanged`: it did not run. `none`: the project has no workspace. */
export type DownOutcome = "paused" | "deleted" | "unchanged" | "none"
