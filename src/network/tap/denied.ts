import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { startTimer } from "../../system/waits/timer.ts"
import type { DeniedMessage } from "./protocol.ts"
import { LOG_GROUP } from "./ruleset.ts"

/** Time in which the same destination is told once, in ms: a program that is refused tries again. */
const SAME_MS = 5_000
/** Destinations that are remembered; a guest chooses them. */
const MAX_RECENT = 1_024

/** Pause before the program is started again, in ms. It doubles while the program ends without a line. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

/** Tells the first packet of each flow that the firewall of this network namespace denies. Without the program, none is told. */
export const watchDenied = (tell: (flow: Omit<DeniedMessage, "_tag">) => void): void => {
  const [program = "", name = ""] = process.argv.slice(-2)
  const recent = new Set<string>()
  const isRecent = (line: string) => {
    if (recent.has(line)) return true
    if (recent.size >= MAX_RECENT) recent.clear()
    recent.add(line)
    startTimer(SAME_MS, () => recent.delete(line))
    return false
  }
  const start = (pauseMs: number) => {
    let nextPauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    const child = spawn(program, [String(LOG_GROUP), name], { stdio: ["ignore", "pipe", "inherit"] })
    child.on("error", ({ message }) => process.stderr.write(`denials are not logged: ${message}\n`))
    child.on("exit", (code, signal) => {
      process.stderr.write(`denials are not logged for a moment: ${program} ended with ${signal ?? `status ${code}`}\n`)
      startTimer(pauseMs, () => start(nextPauseMs))
    })
    createInterface(child.stdout).on("line", (line) => {
      nextPauseMs = FIRST_PAUSE_MS
      const [protocol, address = "", port] = line.split(" ")
      if (!isRecent(line)) tell({ protocol: Number(protocol), address, port: port === "0" ? undefined : Number(port) })
    })
  }
  start(FIRST_PAUSE_MS)
}
