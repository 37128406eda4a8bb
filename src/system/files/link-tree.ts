import { Effect } from "effect"
import type { NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { linkFile, listFolder, makeFolder, statEntry } from "./entries.ts"
import { toHostError } from "./failure.ts"

/** Gives all files of a folder a second name in a new folder. */
export const linkTree = (from: string, to: string): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    yield* makeFolder(to)
    for (const name of yield* listFolder(from)) {
      const [one, linked] = [`${from}/${name}`, `${to}/${name}`]
      const isDirectory = (yield* statEntry(one))?.isDirectory() === true
      yield* isDirectory ? linkTree(one, linked) : linkFile(one, linked)
    }
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))
