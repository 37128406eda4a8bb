import { Effect, Option } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { exists, listFolder, listIfPresent, removeEmptyFolder, statEntry } from "../../../system/files/entries.ts"
import { attempt, type FileFailed, toHostError } from "../../../system/files/failure.ts"
import { haveMemoryDir, memoryDirPrefix, Paths } from "../../../system/files/Paths.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { freedBeneath } from "../../../system/files/usage.ts"
import { isAlive, processesWithArgument } from "../../../system/processes/identity.ts"
import { killIdentity } from "../../../system/processes/kill-identity.ts"
import { nowMs } from "../../../system/waits/time.ts"
import {
  isVmId,
  listVmIds,
  parseNewFolder,
  processName,
  readRecord,
  type VmId,
  vmPaths,
  type VmRecord
} from "./record.ts"

/** One removed leftover of a crash. */
interface Leftover {
  readonly kind: "vm" | "process" | "memory file" | "folder"
  readonly what: string
  readonly freedBytes: number
}

/** QEMU and its launchers, also if their pids were never recorded. */
const processesOf = (id: VmId) => processesWithArgument(processName(id))

const remove = (kind: Leftover["kind"], file: string): Effect.Effect<ReadonlyArray<Leftover>, FileFailed> =>
  Effect.gen(function*() {
    if ((yield* statEntry(file)) === undefined) return []
    // Another process may sweep the same files.
    const freedBytes = yield* Effect.orElseSucceed(attempt("lstat", file, () => freedBeneath(file)), () => 0)
    yield* removeTree(file)
    return [{ kind, what: file, freedBytes }]
  })

/** A sweep fails if the host keeps a file. */
type Swept = Effect.Effect<ReadonlyArray<Leftover>, NoSpace | StateDirectoryUnusable, Paths>

const mayBeRemoved = (record: VmRecord) => !isAlive(record.owner) && record.purpose !== "workspace"

/**
 * Ends one VM, whatever process owns it: first its processes, then the files that they used. The layers of a workspace's disk stay under the
 * workspace's own names.
 */
export const endVm = (id: VmId): Swept =>
  Effect.gen(function*() {
    const paths = vmPaths(yield* Paths, id)
    const ended: Array<Leftover> = []
    for (const identity of processesOf(id)) {
      yield* killIdentity(identity)
      ended.push({ kind: "process", what: String(identity.pid), freedBytes: 0 })
    }
    const memory = yield* remove("memory file", paths.memory)
    const folder = yield* remove("vm", paths.directory)
    return [...ended, ...memory, ...folder]
  }).pipe(Effect.mapError(toHostError))

/** Removes the files of a VM whose QEMU is gone. A VM that still runs stays unchanged. */
export const endVmIfDead = (id: VmId): Swept =>
  Effect.suspend(() => processesOf(id).length === 0 ? endVm(id) : Effect.succeed([]))

/** VMs of workspaces without an owner: to be attached to, or ended. */
export const ownerlessWorkspaceVms: Effect.Effect<ReadonlyArray<VmRecord>, never, Paths> = Effect.gen(function*() {
  const paths = yield* Paths
  const records = yield* Effect.forEach(
    listVmIds(paths.stateDir),
    (id) => Effect.orElseSucceed(readRecord(vmPaths(paths, id)), () => Option.none<VmRecord>())
  )
  return records.flatMap((record) =>
    Option.isSome(record) && record.value.purpose === "workspace" && !isAlive(record.value.owner) ? [record.value] : []
  )
})

/**
 * Ends the VMs of workspaces without an owner that `keep` does not name: leftovers of a crash. Only for the process that owns the
 * workspaces.
 */
export const sweepWorkspaceVms = (keep: ReadonlySet<VmId>): Swept =>
  Effect.gen(function*() {
    const removed: Array<Leftover> = []
    for (const { id } of yield* ownerlessWorkspaceVms) if (!keep.has(id)) removed.push(...yield* endVm(id))
    return removed
  })

/** VMs that `sweepVms` would end. Only reads the records. */
const deadVms = Effect.gen(function*() {
  const paths = yield* Paths
  const dead: Array<VmId> = []
  for (const id of listVmIds(paths.stateDir)) {
    const record = yield* readRecord(vmPaths(paths, id)).pipe(Effect.orElseSucceed(() => Option.none<VmRecord>()))
    // A folder gets its name together with its record: a folder without a record is damaged, or its owner is removing it.
    if (Option.isNone(record) ? processesOf(id).length === 0 : mayBeRemoved(record.value)) dead.push(id)
  }
  return dead
})

/** Folders of processes that died during their preparation. */
const deadFolders = (stateDir: string) => {
  const vms = path.join(stateDir, "vms")
  return Effect.map(listIfPresent(vms), (names) =>
    names.filter((name) => {
      const maker = parseNewFolder(name)
      return maker !== undefined && !isAlive(maker)
    }).map((name) => path.join(vms, name)))
}

/** Memory files without a VM. Listed before the folders, because a VM's folder exists first. */
const orphanedMemory = (paths: Paths["Service"]) =>
  Effect.map(listIfPresent(paths.memoryDir), (names) =>
    names.filter(isVmId)
      .filter((id) => !exists(vmPaths(paths, id).directory))
      .map((name) => path.join(paths.memoryDir, name)))

/**
 * Ends VMs whose owner is dead and removes their processes, memory, disks and folders. Everything of a living process stays. Safe to
 * repeat, and to run in several processes at once.
 */
export const sweepVms: Swept = Effect.gen(function*() {
  const paths = yield* Paths
  const removed: Array<Leftover> = []
  for (const id of yield* deadVms) removed.push(...yield* endVm(id))
  yield* Effect.gen(function*() {
    for (const folder of yield* deadFolders(paths.stateDir)) removed.push(...yield* remove("folder", folder))
    for (const file of yield* orphanedMemory(paths)) removed.push(...yield* remove("memory file", file))
  }).pipe(Effect.mapError(toHostError))
  return removed
})

/** Time without a change after which an empty memory directory of another state directory is removed, in `ms`. */
const unusedMs = 3_600_000

/** Removes a directory, unless it is not empty, missing or another user's. Gives whether it was removed. */
const removeEmpty = (directory: string) => Effect.isSuccess(removeEmptyFolder(directory))

/** Empty, old memory directories of this user's other state directories, which may be gone. */
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
 * Removes the memory directory while the state directory has no VM, and empty ones of other state directories. Nothing is lost: a directory
 * with a file stays, and each VM makes its own again (`haveMemoryDir`). Gives the removed paths.
 */
export const leaveMemoryStore: Effect.Effect<ReadonlyArray<string>, never, Paths> = Effect.gen(function*() {
  const paths = yield* Paths
  const { memoryDir, stateDir } = paths
  const own = listVmIds(stateDir).length === 0 && (yield* removeEmpty(memoryDir)) ? [memoryDir] : []
  // A newly recorded VM has made its directory already, but not yet its memory file.
  if (own.length > 0 && listVmIds(stateDir).length > 0) yield* haveMemoryDir(paths)
  return [...own, ...yield* Effect.filter(yield* unusedBeside(memoryDir), removeEmpty)]
}).pipe(Effect.catchCause((cause) => Effect.as(Effect.logDebug(cause), [])))
