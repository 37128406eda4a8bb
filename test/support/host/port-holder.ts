import * as fs from "node:fs"

/** Processes of pyro-port that keep a port for a directory. */
export const portHolders = (directory: string): ReadonlyArray<number> =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`pyro-port\0${directory}\0`)
    } catch {
      return false
    }
  }).map(Number)
