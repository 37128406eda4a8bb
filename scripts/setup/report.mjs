import process from "node:process"

const barWidth = 28
const onTerminal = () => process.stderr.isTTY === true && process.env.TERM !== "dumb"

/** A problem that a person has to fix; `main` prints it without a stack. */
export class SetupFailed extends Error {
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

export const say = (line) => process.stderr.write(`${line}\n`)

/**
 * Runs `work` under one line that names the step. On a terminal a second line shows the progress: `work` gets `progress(fraction,
 * detail)`. Before the first call the line shows only the time.
 */
export const step = async (title, work) => {
  const startedAt = Date.now()
  say(title)
  const shown = onTerminal() ? liveLine(startedAt) : undefined
  try {
    const result = await work(shown?.progress ?? (() => {}))
    shown?.clear()
    say(`  done in ${duration(Date.now() - startedAt)}`)
    return result
  } catch (failure) {
    shown?.clear()
    throw failure
  }
}

export const duration = (ms) =>
  ms < 9_950
    ? `${(ms / 1000).toFixed(1)} s`
    : ms < 99_500
    ? `${Math.round(ms / 1000)} s`
    : `${Math.round(ms / 60_000)} min`

const liveLine = (startedAt) => {
  let fraction
  let detail = ""
  const draw = () => {
    const columns = process.stderr.columns || 80
    const elapsed = duration(Math.floor((Date.now() - startedAt) / 1000) * 1000).replace(".0", "")
    const filled = Math.round(barWidth * (fraction ?? 0))
    const bar = fraction === undefined ?
      "" :
      `[${"#".repeat(filled)}${".".repeat(barWidth - filled)}] ${String(Math.floor(fraction * 100)).padStart(3)} % `
    process.stderr.write(`\r\x1b[K${`  ${bar}${elapsed} ${detail}`.slice(0, columns - 1)}`)
  }
  const timer = setInterval(draw, 250)
  return {
    progress: (newFraction, newDetail = "") => {
      fraction = Math.min(1, Math.max(fraction ?? 0, newFraction))
      detail = newDetail
    },
    clear: () => {
      clearInterval(timer)
      process.stderr.write("\r\x1b[K")
    }
  }
}
