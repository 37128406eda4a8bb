import { readFileSync } from "node:fs"
import { childrenOf } from "./identity.ts"

/** Use of the host by processes. */
export interface ProcessUsage {
  /** CPU time so far, in ms. */
  readonly cpuMs: number
  /** Resident memory, in bytes. */
  readonly residentBytes: number
}

/** A clock tick of proc(5), in ms: USER_HZ is 100 on every architecture that Node runs on. */
const TICK_MS = 10
const KIB = 1_024
/** Generations of children that count: a VMM runs beneath the programs that confine it. */
const DEPTH = 4

const ownUsage = (pid: number): ProcessUsage | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    // Fields after the name in brackets: state is the 3rd, utime the 14th and stime the 15th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
      residentBytes: Number(resident?.[1] ?? 0) * KIB
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
    const { cpuMs, residentBytes } = processUsage(child, depth - 1) ?? { cpuMs: 0, residentBytes: 0 }
    return { cpuMs: sum.cpuMs + cpuMs, residentBytes: sum.residentBytes + residentBytes }
  }, own)
}
