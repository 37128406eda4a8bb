import { Effect } from "effect"
import type { Candidate, Sources } from "./candidates.ts"
import { missingIn } from "./contents.ts"

const isWithin = (path: string, directory: string) => path === directory || path.startsWith(`${directory}/`)

/** Directories above new files, without the top. */
const directoriesOf = (candidates: ReadonlyArray<Candidate>) => {
  const directories = new Set<string>()
  for (const { new: after, old, path } of candidates) {
    if (old !== undefined || after?.type === "directory") continue
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      const directory = path.slice(0, at)
      if (directories.has(directory)) break
      directories.add(directory)
    }
  }
  return [...directories]
}

/**
 * Splits off new files in repositories, work trees and submodules that the guest made, as git leaves them out of the repository around
 * them. A file of the baseline always stays. `named` has the requested paths: a repository counts as any directory if one of them is at
 * it or in it.
 */
export const withoutNested = (
  { channel, trees }: Pick<Sources, "channel" | "trees">,
  candidates: ReadonlyArray<Candidate>,
  named: ReadonlyArray<string>
) =>
  Effect.gen(function*() {
    const gits = directoriesOf(candidates)
      .filter((directory) => !named.some((path) => isWithin(path, directory)))
      .map((directory) => `${directory}/.git`)
    if (gits.length === 0) return { kept: candidates, nested: [] }
    const absent = new Set(yield* missingIn(channel, trees.live, gits))
    // A repository of the seed is a part of the baseline.
    const made = yield* missingIn(channel, trees.baseline, gits.filter((git) => !absent.has(git)))
    const nested: Array<string> = []
    for (const directory of made.map((git) => git.slice(0, -"/.git".length)).sort()) {
      if (!nested.some((outer) => isWithin(directory, outer))) nested.push(directory)
    }
    const kept = nested.length === 0 ?
      candidates :
      candidates.filter(({ old, path }) => old !== undefined || !nested.some((directory) => isWithin(path, directory)))
    return { kept, nested }
  })
