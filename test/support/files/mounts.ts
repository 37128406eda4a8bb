import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { until } from "../pyro-cli.ts"

/** Processes that have something of a folder open, as lines for a failure's message. */
const usersOf = (folder: string) =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const links = ["cwd", "root", "exe", ...fs.readdirSync(`/proc/${pid}/fd`).map((fd) => `fd/${fd}`)]
      const targets = links.flatMap((link) => {
        try {
          return [fs.readlinkSync(`/proc/${pid}/${link}`)]
        } catch {
          return []
        }
      })
      const inside = targets.filter((target) => target.startsWith(folder))
      if (inside.length === 0) return []
      return [`${pid} ${fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")}: ${inside.join(" ")}`]
    } catch {
      return []
    }
  })

/** Unmounts; what sweeps after a daemon that was killed may be looking into it for a moment. */
export const unmount = async (folder: string) => {
  let users: ReadonlyArray<string> = []
  await until("it can be unmounted", () => {
    try {
      execFileSync("umount", [folder], { stdio: "pipe" })
      return true
    } catch {
      users = usersOf(folder)
      return false
    }
  }).catch((error: unknown) => {
    throw new Error(`${folder} is in use: ${users.join("; ")}`, { cause: error })
  })
}
