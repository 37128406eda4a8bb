import { Effect, Option, Semaphore } from "effect"
import { availableMemoryBytes, coreCount, freeBytes } from "../../../system/processes/host.ts"
import { AdmissionRefused, memoryStore, NoSpace, type StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { attempt, toHostError } from "../../../system/files/failure.ts"
import { haveMemoryDir, Paths } from "../../../system/files/Paths.ts"
import { isAlive, processUsage } from "../../../system/processes/identity.ts"
import { privateCopies } from "../../../system/processes/private-copies.ts"
import type { DriverName } from "../model/guest.ts"
import { listVmIds, readRecord, vmPaths, type VmRecord } from "../model/record.ts"
import { SHARED_MEMORY, sharedMemoryOf, touchedMemory } from "./memory.ts"

/**
 * Maximum number of guests that start at once: one for each core, and one that waits for a file. Of 20 guests on 2 cores, half had started
 * after 3.8 s without a queue and after 2.0 s with it; all had started after 4.0 s and 3.7 s.
 */
export const guestsStartingAtOnce = coreCount() + 1

/** Runs at most `atOnce` effects at a time, the others in the order of their arrival. An effect that waits can be interrupted. */
export const makeStartQueue = (
  atOnce: number
): Effect.Effect<<A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>> =>
  Effect.map(Semaphore.make(atOnce), (semaphore) => semaphore.withPermits(1))

/** Memory that stays free for the host, in MiB. */
const hostReserveMib = 256

/** Maximum number of running vCPUs per core of the host. With more, every vCPU is too slow. */
const vcpusPerCore = 16

const mib = 1024 * 1024

/** Facts about a VM that count for its admission. */
interface Asking extends Pick<VmRecord, "id" | "memoryMib" | "sharedBytes" | "vcpuCount"> {
  readonly machine?: { readonly driver?: DriverName | undefined } | undefined
}

/** Whether the VM's memory is in the memory store. Firecracker maps an image of the disk privately, and QEMU a memory that VMs share. */
const isStored = ({ machine, sharedBytes }: Asking) => machine?.driver !== "firecracker" && sharedBytes === undefined

/** Bytes of its memory that a VM has of its own. */
const touchedBytes = (file: string, record: VmRecord) => {
  if (isStored(record)) return touchedMemory({ memory: file }, record)
  const pid = record.process?.pid ?? 0
  return record.sharedBytes === undefined ? processUsage(pid)?.privateBytes ?? 0 : privateCopies(pid, SHARED_MEMORY)
}

const sum = (records: ReadonlyArray<Asking>) => records.reduce((all, { memoryMib }) => all + memoryMib, 0)

/** MiB of its memory that a VM has not touched yet. One that shares a memory may write to all of it. */
const outstandingMib = (file: string, record: VmRecord) =>
  Math.max(0, record.memoryMib - touchedBytes(file, record) / mib)

/** Number of the VMs, all of one size, that fit. */
const fittingOf = (
  records: ReadonlyArray<Asking>,
  left: { readonly memoryMib: number; readonly vcpus: number }
): { readonly fits?: number } => {
  if (records.length <= 1) return {}
  const each = (size: (record: Asking) => number) => Math.max(1, ...records.map(size))
  const most = Math.min(
    left.memoryMib / each(({ memoryMib }) => memoryMib),
    left.vcpus / each(({ vcpuCount }) => vcpuCount)
  )
  return { fits: Math.max(0, Math.min(records.length - 1, Math.floor(most))) }
}

/** MiB that VMs may still touch, and virtual CPUs of all but these. */
const promisedBeside = (records: ReadonlyArray<Asking>) =>
  Effect.gen(function*() {
    const paths = yield* Paths
    const promised = { hostMib: 0, storeMib: 0, vcpus: 0 }
    /** By inode, what each shared memory may grow by. */
    const growths = new Map<number, number>()
    for (const id of listVmIds(paths.stateDir)) {
      if (records.some((record) => record.id === id)) continue
      const one = vmPaths(paths, id)
      const other = Option.getOrUndefined(yield* Effect.orElseSucceed(readRecord(one), () => Option.none<VmRecord>()))
      if (other === undefined || !isAlive(other.process ?? other.owner)) continue
      const outstanding = outstandingMib(one.memory, other)
      promised.hostMib += outstanding
      if (isStored(other)) promised.storeMib += outstanding
      promised.vcpus += other.vcpuCount
      const shared = other.sharedBytes === undefined ? undefined : sharedMemoryOf(other.process?.pid ?? 0)
      if (shared !== undefined) growths.set(shared.ino, Math.max(0, other.memoryMib - shared.bytes / mib))
    }
    for (const growth of growths.values()) promised.hostMib += growth
    return promised
  })

const hostRoomMib = (promisedMib: number) => Math.floor(availableMemoryBytes() / mib - promisedMib - hostReserveMib)

/** Whether the host has so many MiB of memory that no VM was promised. */
export const hasRoomFor = (neededMib: number): Effect.Effect<boolean, never, Paths> =>
  Effect.map(promisedBeside([]), ({ hostMib }) => hostRoomMib(hostMib) >= neededMib)

/**
 * Admits all VMs or none: all the memory that they may ever touch must fit the rest of the host, and of the store if it is there, because a
 * full tmpfs kills QEMU by SIGBUS. The VMs' own records must be written before. Of two callers at once each sees the other, so both may be refused,
 * but both are never admitted to the room of one.
 */
export const admit = (
  records: ReadonlyArray<Asking>
): Effect.Effect<void, AdmissionRefused | NoSpace | StateDirectoryUnusable, Paths> =>
  Effect.gen(function*() {
    const paths = yield* Paths
    yield* haveMemoryDir(paths)
    const what = records.length === 1 ? "the VM" : `the ${records.length} VMs`
    const neededMib = sum(records)
    const { hostMib: promisedMib, storeMib: storePromisedMib, vcpus: otherVcpus } = yield* promisedBeside(records)
    const mostVcpus = coreCount() * vcpusPerCore
    const free = yield* attempt("statfs", paths.memoryDir, () => freeBytes(paths.memoryDir))
    const storeNeededMib = sum(records.filter(isStored))
    const storeMib = storeNeededMib === 0 ? Infinity : Math.floor(free / mib - storePromisedMib)
    const hostMib = hostRoomMib(promisedMib)
    const fitting = fittingOf(records, { memoryMib: Math.min(storeMib, hostMib), vcpus: mostVcpus - otherVcpus })
    if (storeMib < storeNeededMib) {
      return yield* new NoSpace({
        where: memoryStore,
        path: paths.memoryDir,
        neededMib: storeNeededMib,
        availableMib: Math.max(0, storeMib),
        ...fitting
      })
    }
    if (hostMib < neededMib) {
      return yield* new AdmissionRefused({
        resource: "memory",
        detail: `${what} may need ${neededMib} MiB, and the host has ${
          Math.max(0, hostMib)
        } MiB that no other VM was promised`,
        ...fitting
      })
    }
    const vcpus = otherVcpus + records.reduce((sum, { vcpuCount }) => sum + vcpuCount, 0)
    if (vcpus > mostVcpus) {
      return yield* new AdmissionRefused({
        resource: "cpu",
        detail: `${
          records.length === 1 ? "it" : what
        } would make ${vcpus} virtual CPUs, and this host's ${coreCount()} cores are given at most ${mostVcpus}`,
        ...fitting
      })
    }
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))
