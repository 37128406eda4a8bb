import { Effect } from "effect"
import * as path from "node:path"
import { statEntry } from "../system/files/entries.ts"
import { listFolder, removeEmptyFolder } from "../system/files/folders.ts"
import { haveMemoryDir, memoryDirPrefix, Paths } from "../system/files/Paths.ts"
import { nowMs } from "../system/waits/time.ts"
import { listVmIds } from "./driver/admission.ts"

/** Time without a change after which an empty memory directory of another state directory goes, in `ms`. */
const unusedMs = 3_600_000

/** Whether a directory went. One stays that is not empty, gone already, or not this user's. */
const removeEmpty = (directory: string) => Effect.isSuccess(removeEmptyFolder(directory))

/** Memory directories of other state directories, which may be gone: empty, this user's, and unused for long. */
const unusedBeside = (memoryDir: string) =>
  Effect.gen(function*() {
    const store = path.dirname(memoryDir)
    const names = yield* listFolder(store)
    const others = names.filter((name) => name.startsWith(memoryDirPrefix()) && name !== path.basename(memoryDir))
    const unusedSinceMs = (yield* nowMs) - unusedMs
    return yield* Effect.filter(others.map((name) => path.join(store, name)), (directory) =>
      Effect.map(statEntry(directory), (stat) =>
        stat?.isDirectory() === true && stat.uid === process.getuid?.() && stat.mtimeMs < unusedSinceMs))
  })

/**
 * Removes the memory directory while the state directory has no VM, and empty ones that other state directories left. Nothing is lost by
 * it: a directory with a file stays, and each VM makes its own anew (`haveMemoryDir`). Gives what it removed.
 */
export const leaveMemoryStore: Effect.Effect<ReadonlyArray<string>, never, Paths> = Effect.gen(function*() {
  const paths = yield* Paths
  const { memoryDir, stateDir } = paths
  const own = listVmIds(stateDir).length === 0 && (yield* removeEmpty(memoryDir)) ? [memoryDir] : []
  // A VM that was announced just now has made its directory before, and its memory file not yet.
  if (own.length > 0 && listVmIds(stateDir).length > 0) yield* haveMemoryDir(paths)
  return [...own, ...yield* Effect.filter(yield* unusedBeside(memoryDir), removeEmpty)]
}).pipe(Effect.catchAllCause((cause) => Effect.as(Effect.logDebug(cause), [])))
