import * as fs from "node:fs"
import * as path from "node:path"

/** An installation as far as a retried test is concerned. */
export interface Retried {
  readonly state: string
  readonly deleteWorkspaces: (ids: ReadonlyArray<string>) => Promise<unknown>
}

/** The installations of this test file that are open. */
export const openInstallations = new Set<Retried>()

const workspacesOf = ({ state }: Retried): ReadonlyArray<string> => {
  const folder = path.join(state, "workspaces")
  return fs.existsSync(folder) ? fs.readdirSync(folder) : []
}

/**
 * Tells what an attempt at a test has made from what was there before it. The second attempt gives the same names: a workspace that the
 * first one left would be in its way.
 */
export const beginAttempt = (installations: Iterable<Retried> = openInstallations) => {
  const before = new Set([...installations].flatMap(workspacesOf))
  return {
    /** Deletes the workspaces that were made since. */
    undo: async () => {
      for (const one of installations) {
        const made = workspacesOf(one).filter((id) => !before.has(id))
        if (made.length > 0) await one.deleteWorkspaces(made)
      }
    }
  } as const
}
