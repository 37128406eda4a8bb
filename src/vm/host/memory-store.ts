import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { haveMemoryDir, memoryDirPrefix, Paths } from "../../system/Paths.ts"
import { nowMs } from "../../system/time.ts"
import { listVmIds } from "../record/admission.ts"

/** Time without a change after which an empty memory directory of another state directory goes, in `ms`. */
const unusedMs = 3_600_000

const removeEmpty = (directory: string) => {
  try {
    fs.rmdirSync(directory)
    return true
  } catch {
    return false // it is not empty, gone already, or not this user's
  }
}

/** Memory directories of other state directories, which may be gone: empty, this user's, and unused for long. */
const unusedBeside = (memoryDir: string, nowMs: number) => {
  const store = path.dirname(memoryDir)
  return fs.readdirSync(store).filter((name) => name.startsWith(memoryDirPrefix()) && name !== path.basename(memoryDir))
    .map((name) => path.join(store, name))
    .filter((directory) => {
      const stat = fs.lstatSync(directory, { throwIfNoEntry: false })
      return stat?.isDirectory() === true && stat.uid === process.getuid?.() && nowMs - stat.mtimeMs > unusedMs
    })
}

/**
 * Removes the memory directory while the state directory has no VM, and empty ones that other state directories left. Nothing is lost by
 * it: a directory with a file stays, and each VM makes its own anew (`haveMemoryDir`). Gives what it removed.
 */
export const leaveMemoryStore: Effect.Effect<ReadonlyArray<string>, never, Paths> = Effect.gen(function*() {
  const paths = yield* Paths
  const { memoryDir, stateDir } = paths
  const own = listVmIds(stateDir).length === 0 && removeEmpty(memoryDir) ? [memoryDir] : []
  // A VM that was announced just now has made its directory before, and its memory file not yet.
  if (own.length > 0 && listVmIds(stateDir).length > 0) yield* haveMemoryDir(paths)
  return [...own, ...unusedBeside(memoryDir, yield* nowMs).filter(removeEmpty)]
}).pipe(Effect.catchAllCause((cause) => Effect.as(Effect.logDebug(cause), [])))
