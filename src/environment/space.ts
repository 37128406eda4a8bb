import { Effect } from "effect"
import * as fs from "node:fs"
import { NoSpace } from "../contract/errors.ts"

const mib = 1024 * 1024

/** Fails with NoSpace unless the file system of `path` has that much room for this user. */
export const needSpace = (path: string, neededMib: number): Effect.Effect<void, NoSpace> =>
  Effect.suspend(() => {
    const availableMib = freeMib(path)
    return availableMib >= neededMib
      ? Effect.void
      : new NoSpace({ where: "cache", path, neededMib, availableMib })
  })

/** Free space for this user in the file system of `path`, in MiB. */
export const freeMib = (path: string): number => {
  const { bavail, bsize } = fs.statfsSync(path)
  return Math.floor((bavail * bsize) / mib)
}

/** Memory that can be had without swapping, in MiB (`MemAvailable` of proc(5)). */
export const availableMemoryMib = (): number => {
  const line = /^MemAvailable:\s+(\d+) kB/m.exec(fs.readFileSync("/proc/meminfo", "utf8"))
  return line === null ? 0 : Math.floor(Number(line[1]) / 1024)
}
