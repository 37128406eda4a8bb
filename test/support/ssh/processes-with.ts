import * as fs from "node:fs"

/** Processes of this user whose command line has all of these words. */
export const processesWith = (...words: ReadonlyArray<string>) =>
  fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).flatMap((pid) => {
    try {
      const line = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8")
      return words.every((word) => line.includes(word)) ? [Number(pid)] : []
    } catch {
      return []
    }
  })

/** Kills these processes. One may have ended by itself since. */
export const killWith = (...words: ReadonlyArray<string>) => {
  for (const pid of processesWith(...words)) {
    try {
      process.kill(pid, "SIGKILL")
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
    }
  }
}
