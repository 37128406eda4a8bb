import { Effect } from "effect"
import * as path from "node:path"
import type { HostToolMissing } from "../../../contract/errors/errors.ts"
import { GIT_EXECUTABLE, GIT_FILE } from "../../../contract/text/git-mode.ts"
import { attempt, type FileFailed } from "../../../system/files/failure.ts"
import type { GitFailed } from "../model/git-failed.ts"
import { beneath, readBounded } from "../model/host-files.ts"
import { type Listed, splitNul } from "../tree/listing.ts"
import { git, type GitRoom } from "./confined-git.ts"

/** Tracked files that git filters when it reads or writes commits, by the name of the filter, such as `lfs`. */
interface Filtered {
  readonly filter: string
  readonly paths: ReadonlyArray<Buffer>
}

const mostRulesBytes = 1024 * 1024

const isRegular = ({ mode }: Listed) => mode === GIT_FILE || mode === GIT_EXECUTABLE

const isRules = ({ path: file, state }: Listed) =>
  (state === "tracked" || state === "untracked") && path.basename(file.toString("latin1")) === ".gitattributes"

const noFilter = new Set(["unspecified", "unset", "set", ""])

/**
 * Filtered files of a work tree. `outside` has the attribute files outside of the tree. Costs nothing where no attribute file names a
 * filter. Runs no filter.
 */
export const filteredFiles = (
  room: GitRoom,
  directory: string,
  listed: ReadonlyArray<Listed>,
  outside: ReadonlyArray<Buffer | undefined>
): Effect.Effect<ReadonlyArray<Filtered>, GitFailed | FileFailed | HostToolMissing> =>
  Effect.gen(function*() {
    const named = outside.some((rules) => rules?.includes("filter") === true) ||
      (yield* attempt("read", directory, () =>
        listed.filter(isRules).some(({ path: rules }) =>
          readBounded(beneath(directory, rules), mostRulesBytes)?.includes("filter") === true
        )))
    if (!named) {
      return []
    }
    const removed = new Set(listed.flatMap(({ path, state }) =>
      state === "removed" ? [path.toString("latin1")] : []
    ))
    const tracked = listed.filter((one) =>
      one.state === "tracked" && isRegular(one) && !removed.has(one.path.toString("latin1"))
    )
    const input = Buffer.concat(tracked.flatMap((one) => [one.path, nul]))
    const fields = splitNul(yield* git(room, ["check-attr", "-z", "--stdin", "filter"], { input }))
    const found = new Map<string, Array<Buffer>>()
    for (let at = 0; at + 2 < fields.length; at += 3) {
      const filter = fields[at + 2]!.toString()
      if (noFilter.has(filter)) {
        continue
      }
      const paths = found.get(filter)
      if (paths === undefined) {
        found.set(filter, [fields[at]!])
      } else paths.push(fields[at]!)
    }
    return [...found].map(([filter, paths]) => ({ filter, paths }))
  })

const nul = Buffer.alloc(1)

/**
 * Marks these files in pyro's copy of the index, so that git ignores their changes: their contents differ from those of the commits,
 * and the guest may lack the filter's program. `git add` then refuses such a file, and `git commit -a` skips it.
 */
export const leaveAlone = (room: GitRoom, filtered: ReadonlyArray<Filtered>) =>
  Effect.asVoid(git(room, ["update-index", "-z", "--skip-worktree", "--stdin"], {
    input: Buffer.concat(filtered.flatMap(({ paths }) => paths.flatMap((file) => [file, nul])))
  }))

const plain = /^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$/

/** Shell command that refuses the content, for a filter that the guest lacks. */
const refusing = (filter: string) =>
  `echo 'pyro: this workspace lacks ${
    plain.test(filter) ? `the filter ${filter}` : "a filter"
  }, so git takes no change of this file' >&2; exit 1`

/** The only filter that works without a key or a configuration of the host. */
const lfs = (verb: string, otherwise: string) =>
  `if command -v git-lfs >/dev/null; then git-lfs ${verb} -- %f; else ${otherwise}; fi`

/** Settings of the guest's git, so that no content passes through a missing filter. */
export const filterSettings = (filter: string): ReadonlyArray<readonly [name: string, value: string]> => {
  const without = refusing(filter)
  const [clean, smudge] = filter === "lfs" ? [lfs("clean", without), lfs("smudge --skip", "cat")] : [without, "cat"]
  return [["clean", clean], ["smudge", smudge], ["required", "true"]]
}
