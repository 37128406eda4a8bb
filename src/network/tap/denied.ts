import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { startTimer } from "../../system/timer.ts"
import type { DeniedMessage } from "./protocol.ts"
import { LOG_GROUP } from "./ruleset.ts"

/** Time in which the same destination is told once, in ms: a program that is refused tries again. */
const SAME_MS = 5_000
/** Destinations that are remembered; a guest chooses them. */
const MAX_RECENT = 1_024

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
  const child = spawn(program, [String(LOG_GROUP), name], { stdio: ["ignore", "pipe", "inherit"] })
  child.on("error", ({ message }) => process.stderr.write(`denials are not logged: ${message}\n`))
  createInterface(child.stdout).on("line", (line) => {
    const [protocol, address = "", port] = line.split(" ")
    if (!isRecent(line)) tell({ protocol: Number(protocol), address, port: port === "0" ? undefined : Number(port) })
  })
}
