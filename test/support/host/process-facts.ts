import * as fs from "node:fs"

/** Memory that a process has in RAM, in `bytes`. */
export const rssOf = (pid: number) => {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kib) * 1024
}

/** How many descriptors a process has open. */
export const descriptorsOf = (pid: number) => fs.readdirSync(`/proc/${pid}/fd`).length

/** Watches a process's memory; `stop` gives the most that was seen, in `bytes`. */
export const watchRss = (pid: number) => {
  let most = rssOf(pid)
  const timer = setInterval(() => most = Math.max(most, rssOf(pid)), 50)
  return {
    stop: () => {
      clearInterval(timer)
      return most
    }
  }
}

/** A process as the kernel has it: `T` is halted, `Z` has ended; undefined when there is none. */
export const stateOf = (pid: number): string | undefined => {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)![0]
  } catch {
    return undefined
  }
}
