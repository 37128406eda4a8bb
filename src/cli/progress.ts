import { Effect } from "effect"
import type { Notice } from "../contract/rows/notice.ts"
import { printable } from "../contract/text/printable.ts"
import { OutputOptions } from "./output-options.ts"
import { Terminal } from "./terminal.ts"

const BAR_CELLS = 24
const CLEAR_LINE = "\r\u001b[2K"

/**
 * Shows notices on stderr: on a terminal progress is one line that is written over and then cleared, elsewhere
 * one line per step. Warnings stay. Nothing with `--quiet`.
 */
export const makeProgress = Effect.map(Effect.all([Terminal, OutputOptions]), ([terminal, { quiet }]) => {
  let drawn = false
  let last = ""

  const clear = Effect.suspend(() => {
    if (!drawn) return Effect.void
    drawn = false
    return terminal.writeStderr(CLEAR_LINE)
  })

  const show = (notice: Notice): Effect.Effect<void> => {
    if (quiet) return Effect.void
    const message = printable(notice.message).replaceAll("\n", " ")
    if (notice.level === "warning") {
      return Effect.andThen(clear, terminal.writeStderr(`pyro: warning: ${message}\n`))
    }
    if (terminal.stderrIsTerminal) {
      drawn = true
      return terminal.writeStderr(`${CLEAR_LINE}${bar(notice.fraction)}${message}`)
    }
    if (message === last) return Effect.void
    last = message
    return terminal.writeStderr(`pyro: ${message}\n`)
  }

  return { show, clear } as const
})

const bar = (fraction: number | undefined) => {
  if (fraction === undefined) return ""
  const share = Math.min(1, Math.max(0, fraction))
  const full = Math.round(share * BAR_CELLS)
  return `[${"#".repeat(full)}${" ".repeat(BAR_CELLS - full)}] ${String(Math.round(share * 100)).padStart(3)}% `
}
