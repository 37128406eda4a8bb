import { Effect } from "effect"
import * as path from "node:path"
import { printable } from "../../../contract/text/printable.ts"
import { boundPlaces } from "../../../contract/wire/caller-project.ts"
import { callerGitPlaces, type GitPlaces, gitPlacesOf } from "../../../contract/wire/git-places.ts"
import { realDirectory } from "../../../system/files/host-path.ts"
import { processEnvironment } from "../../../system/settings/config.ts"

/** Places of the user's git configuration: those of the client, or of this process for a client that may name no place, as the page. */
export const gitPlaces: Effect.Effect<GitPlaces> = Effect.zipWith(
  boundPlaces,
  callerGitPlaces,
  (bound, caller) => (bound === undefined ? caller : undefined) ?? gitPlacesOf(processEnvironment())
)

/** The real path of a file or directory: the last name may be a file. */
const realPath = (value: string) => {
  const parent = realDirectory(path.dirname(value))
  return realDirectory(value) ?? (parent === undefined ? undefined : path.join(parent, path.basename(value)))
}

/**
 * Says which variables of the user's shell name another repository than the one around a directory, which counts. `gitDir` and `workTree`
 * are real paths.
 */
export const repositoryNotes = (
  directory: string,
  { gitDir, workTree }: { readonly gitDir?: string | undefined; readonly workTree?: string | undefined } = {}
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(gitPlaces, ({ committer = [], repository = [] }) => {
    const inside = (name: string) => gitDir === undefined ? undefined : path.join(gitDir, name)
    const here = {
      GIT_DIR: [".git", gitDir],
      GIT_WORK_TREE: [".", workTree],
      GIT_INDEX_FILE: [".git/index", inside("index")],
      GIT_OBJECT_DIRECTORY: [".git/objects", inside("objects")],
      GIT_COMMON_DIR: [".git", gitDir]
    }
    const isHere = ([name, value]: (typeof repository)[number]) => {
      const [relative, real] = here[name]
      return value === relative || (real !== undefined && path.isAbsolute(value) && realPath(value) === real)
    }
    return [
      ...repository.filter((one) => !isHere(one)).map(([name]) =>
        `${name} of your shell does not count: pyro takes the git repository around ${
          printable(directory)
        }, if there is one`
      ),
      ...committer.map((name) =>
        `${name} of your shell does not count: commits in the workspace have their author as committer, by GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL or git's configuration`
      )
    ]
  })
