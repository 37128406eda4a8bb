import { Schema } from "effect"
import { randomUUID } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"

/**
 * Unique identity of one process: a pid alone is reused. `startTicks` is field 22 of `/proc/PID/stat` (proc(5)), in clock ticks since boot.
 * `bootId` is `/proc/sys/kernel/random/boot_id` of the host.
 */
export const ProcessIdentity = Schema.Struct({
  pid: Schema.Int,
  startTicks: Schema.Int,
  bootId: Schema.String
})
export type ProcessIdentity = typeof ProcessIdentity.Type

/** Boot id of the running host, read once. */
export const hostBootId: () => string = (() => {
  let known: string | undefined
  return () => known ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
})()

/**
 * Fields of `/proc/PID/stat` from the 3rd on, the state. The command name before is in parentheses and may contain spaces and parentheses.
 * Throws if there is no such process.
 */
const statFields = (pid: number): ReadonlyArray<string> => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
}

/** State letter and start time of a process, or undefined when there is none of that pid. */
const statOf = (pid: number): { readonly state: string; readonly startTicks: number } | undefined => {
  try {
    const fields = statFields(pid)
    return { state: fields[0] ?? "?", startTicks: Number(fields[19]) }
  } catch {
    return undefined
  }
}

/** Identity of a process that is running now, or undefined. */
export const processIdentity = (pid: number): ProcessIdentity | undefined => {
  const stat = statOf(pid)
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks, bootId: hostBootId() }
}

/** Whether this process exists and is no zombie. */
export const isAlive = (identity: ProcessIdentity): boolean => {
  if (identity.bootId !== hostBootId()) return false
  const stat = statOf(identity.pid)
  return stat !== undefined && stat.startTicks === identity.startTicks && stat.state !== "Z" && stat.state !== "X"
}

/** Whether this process, or a child of it, is stopped by a signal or a debugger. */
export const isStopped = ({ pid }: ProcessIdentity): boolean =>
  [pid, ...childrenOf(pid)].some((one) => "Tt".includes(statOf(one)?.state ?? "?"))

/** Pids of the children of a process; none if the process has ended. */
const childrenOf = (pid: number): ReadonlyArray<number> => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter((one) => one !== "").map(
      Number
    )
  } catch {
    return [] // it ended meanwhile, or the kernel was built without that file
  }
}

/** Pids of a process and its children. */
export const withChildren = (pid: number, depth = DEPTH): ReadonlyArray<number> =>
  depth === 0 ? [pid] : [pid, ...childrenOf(pid).flatMap((child) => withChildren(child, depth - 1))]

/** Identity of this process. */
export const ownIdentity = (): ProcessIdentity => processIdentity(process.pid)!

/** Running processes with one of these arguments. */
export const processesWithArgument = (...wanted: ReadonlyArray<string>): ReadonlyArray<ProcessIdentity> =>
  readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const args = readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0")
      const identity = args.some((arg) => wanted.includes(arg)) ? processIdentity(Number(name)) : undefined
      return identity === undefined ? [] : [identity]
    } catch {
      return [] // it ended meanwhile
    }
  })

/** Asks a daemon to end if it has no work. Every version understands it, in spite of changes in the requests. */
export const RETIRE_SIGNAL = "SIGUSR2"

/** Sends a signal to this process. Does nothing if it is gone. */
export const signalIdentity = (identity: ProcessIdentity, signal: NodeJS.Signals): void => {
  if (!isAlive(identity)) return
  try {
    process.kill(identity.pid, signal)
  } catch { /* gone meanwhile */ }
}

/** 32 hexadecimal digits with 122 random bits, from a UUID because Node has a pool of those: every command needs some. */
export const newRequestId = (): string => randomUUID().replaceAll("-", "")

/** Use of the host by processes. */
interface ProcessUsage {
  /** CPU time so far, in ms. */
  readonly cpuMs: number
  /** Resident memory, in bytes. */
  readonly residentBytes: number
  /** The part of it that belongs to no file, in bytes: what the process has written to its own memory and to its copies of mapped files. */
  readonly privateBytes: number
  /** The part of it that is mapped from files on a disk, in bytes: processes share its pages. */
  readonly sharedBytes: number
}

/** A clock tick of proc(5), in ms: USER_HZ is 100 on every architecture that Node runs on. */
const TICK_MS = 10
const KIB = 1_024
/** Depth of children that count: a VMM runs beneath the programs that confine it. */
const DEPTH = 4

const ownUsage = (pid: number): ProcessUsage | undefined => {
  try {
    // utime is the 14th field, stime the 15th.
    const fields = statFields(pid)
    const status = readFileSync(`/proc/${pid}/status`, "latin1")
    const bytesOf = (field: RegExp) => Number(field.exec(status)?.[1] ?? 0) * KIB
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
      residentBytes: bytesOf(/^VmRSS:\s+(\d+) kB/m),
      privateBytes: bytesOf(/^RssAnon:\s+(\d+) kB/m),
      sharedBytes: bytesOf(/^RssFile:\s+(\d+) kB/m)
    }
  } catch {
    return undefined
  }
}

/** Use by a process and its children. Undefined once the process has ended. */
export const processUsage = (pid: number, depth = DEPTH): ProcessUsage | undefined => {
  const own = ownUsage(pid)
  if (own === undefined || depth === 0) return own
  return childrenOf(pid).reduce((sum, child) => {
    const one = processUsage(child, depth - 1)
    return one === undefined ? sum : {
      cpuMs: sum.cpuMs + one.cpuMs,
      residentBytes: sum.residentBytes + one.residentBytes,
      privateBytes: sum.privateBytes + one.privateBytes,
      sharedBytes: sum.sharedBytes + one.sharedBytes
    }
  }, own)
}
