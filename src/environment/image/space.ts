import { Effect } from "effect"
import { NoSpace } from "../../contract/errors/errors.ts"
import { readIfReadable } from "../../system/files/content.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { freeMib } from "../../system/files/usage.ts"

const mib = 1024 * 1024

/** Fails with NoSpace unless the file system of `path` has that much room for this user. */
export const needSpace = (path: string, neededMib: number): Effect.Effect<void, NoSpace | FileFailed> =>
  Effect.flatMap(
    freeMib(path),
    (availableMib) =>
      availableMib >= neededMib ? Effect.void : new NoSpace({ where: "cache", path, neededMib, availableMib })
  )

/** Memory that is available without swapping, in MiB: `MemAvailable` of proc(5), or less with a limit of a control group. */
export const availableMemoryMib = (): number => {
  const line = /^MemAvailable:\s+(\d+) kB/m.exec(read("/proc/meminfo"))
  const available = line === null ? 0 : Number(line[1]) * 1024
  return Math.floor(Math.min(available, ...controlGroupRoom()) / mib)
}

/** Remaining bytes of each control group above this process. None without a limit. */
const controlGroupRoom = (): ReadonlyArray<number> => {
  const own = /^0::(\/.*)$/m.exec(read("/proc/self/cgroup"))?.[1] ?? "/"
  const folders = own.split("/").map((_, depth, names) => "/sys/fs/cgroup" + names.slice(0, depth + 1).join("/"))
  return folders.flatMap((folder) => {
    const [most, used] = [Number(read(`${folder}/memory.max`) || "max"), Number(read(`${folder}/memory.current`))]
    return Number.isFinite(most) ? [Math.max(0, most - used)] : []
  })
}

const read = (file: string) => readIfReadable(file) ?? ""
