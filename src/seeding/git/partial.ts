import { Effect } from "effect"
import * as path from "node:path"
import type { HostToolMissing } from "../../contract/errors/errors.ts"
import { readBounded } from "../tree/host-files.ts"
import { git, type GitRoom } from "./confined-git.ts"
import type { GitFailed } from "./git-failed.ts"
import type { Repository } from "./locate.ts"
import { isTrue, type Settings, type Sparse } from "./safe-config.ts"

const mostPatternBytes = 16 * 1024 * 1024

/** The sparse checkout of a work tree. git keeps its settings in a file of each work tree. */
export const sparseOf = ({ gitDir }: Repository, common: Settings, ofWorkTree: Settings): Sparse | undefined => {
  const setting = (name: string) => ofWorkTree.get(name) ?? common.get(name)
  if (!isTrue(setting("core.sparsecheckout"))) return undefined
  const patterns = readBounded(path.join(gitDir, "info", "sparse-checkout"), mostPatternBytes)
  return patterns === undefined ? undefined : { patterns, isCone: isTrue(setting("core.sparsecheckoutcone")) }
}

/** The listed objects that a partial clone has, one a line; `revisions` as of `git rev-list`. */
export const presentReached = (
  room: GitRoom,
  options: ReadonlyArray<string>,
  revisions: ReadonlyArray<string>
): Effect.Effect<string, GitFailed | HostToolMissing> =>
  Effect.map(
    git(room, ["rev-list", "--objects", "--missing=allow-any", ...options, "--stdin"], {
      input: `${revisions.join("\n")}\n`,
      isLong: true
    }),
    (output) => output.toString("latin1")
  )

/** Those of the objects that a partial clone has. */
export const present = (
  room: GitRoom,
  ids: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, GitFailed | HostToolMissing> =>
  ids.length === 0
    ? Effect.succeed([])
    : Effect.map(
      git(room, ["cat-file", "--batch-check=%(objectname)"], { input: `${ids.join("\n")}\n`, isLong: true }),
      (output) => output.toString("latin1").split("\n").filter((line) => line !== "" && !line.endsWith(" missing"))
    )
