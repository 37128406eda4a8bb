import { Effect } from "effect"
import * as path from "node:path"
import { HostToolMissing, NoSpace } from "../../../contract/errors/errors.ts"
import { copyFile, readIfReadable } from "../../../system/files/content.ts"
import { exists, linkFile, renameFile } from "../../../system/files/entries.ts"
import type { FileFailed } from "../../../system/files/failure.ts"
import { freeMib } from "../../../system/files/usage.ts"
import { asNamespaceRoot, packageOf, runTool, type ToolOptions } from "../../../system/processes/child.ts"
import { processEnvironment, settingNow } from "../../../system/settings/config.ts"
import { recipeFolder } from "./rootfs.ts"

/** Host tools for administrators may not be on an ordinary user's PATH. */
export const withSbin = (): NodeJS.ProcessEnv => ({
  ...processEnvironment(),
  PATH: `${settingNow("PATH")}:/usr/local/sbin:/usr/sbin:/sbin`
})

/** Fails with HostToolMissing unless the program exists. */
export const needTool = (tool: string): Effect.Effect<void, HostToolMissing> =>
  Effect.suspend(() => {
    const folders = (withSbin()["PATH"] ?? "").split(":")
    return folders.some((folder) => exists(path.join(folder, tool)))
      ? Effect.void
      : new HostToolMissing({ tool, package: packageOf(tool), detail: "environments are built with it" })
  })

/**
 * Runs a program as root of its own namespaces. The namespaces end, with all their processes, at the death of the process that
 * holds the lock on the file `alive`. See `rootfs/environment/supervise.sh`.
 */
export const runSupervised = (alive: string, command: readonly [string, ...Array<string>], options: ToolOptions = {}) =>
  Effect.gen(function*() {
    for (const tool of ["bash", "unshare", "flock", command[0]]) yield* needTool(tool)
    const supervise = path.join(recipeFolder("environment"), "supervise.sh")
    const [program, ...args] = asNamespaceRoot(["bash", supervise, alive, ...command])
    return yield* runTool(program, args, { env: withSbin(), ...options })
  })

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

/** Links a file, or copies it to another file system. The name appears only when the content is complete. */
export const linkOrCopy = (from: string, to: string) =>
  Effect.catch(linkFile(from, to), () => Effect.andThen(copyFile(from, `${to}.part`), renameFile(`${to}.part`, to)))
