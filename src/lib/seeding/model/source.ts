import { Effect } from "effect"
import * as os from "node:os"
import * as path from "node:path"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { option, words } from "../../../contract/errors/next-step.ts"
import { isBeneath, realPath } from "../../../system/files/host-path.ts"
import { settingNow } from "../../../system/settings/config.ts"

export type History = "shallow" | "full"

export type GitMode = History | "none"

/** A folder for one seed, and whether namespaces can confine git. */
export interface BuildDirectory {
  readonly folder: string
  readonly namespaces: boolean
}

/** The user's home directories: by the environment and by the accounts of the host. */
const homes = (): ReadonlyArray<string> =>
  [settingNow("HOME"), os.userInfo().homedir, "/root"].flatMap((home) => {
    const found = home === undefined ? undefined : realPath(path.resolve(home))
    return found === undefined || found === "/" ? [] : [found]
  })

/** Kind of a directory that is too broad for a seed. `undefined` for other directories and other paths. */
const broadness = (source: string): string | undefined => {
  const folder = realPath(path.resolve(source))
  if (folder === undefined) return undefined
  if (folder === "/") return "is the whole host"
  const home = homes().find((one) => isBeneath(one, folder))
  return home === undefined ? undefined : home === folder ? "is a home directory" : `holds the home directory ${home}`
}

/**
 * Refuses the root directory, a home directory and a directory that contains one, before any read: keys and passwords would enter
 * the workspace, and the listing alone could take hours.
 */
export const demandNarrow = (
  field: "seed_path" | "source_path",
  source: string | undefined,
  allowHome: boolean
): Effect.Effect<void, InvalidRequest> =>
  Effect.suspend(() => {
    const broad = source === undefined || allowHome ? undefined : broadness(source)
    return broad === undefined ? Effect.void : new InvalidRequest({
      field,
      detail: `${source} ${broad}, and all that is in it would go into the workspace, keys and passwords among it`,
      next: [words("Name a directory in it"), option("Or take all of it", "allow_home", true)]
    })
  })
