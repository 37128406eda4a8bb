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
