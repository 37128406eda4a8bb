import { spawn } from "node:child_process"
import process from "node:process"
import { SetupFailed } from "./report.mjs"

const forwarded = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }
const running = new Map()
let stopping

/**
 * Lets a signal end the children first and then this process. Children lead process groups of their own, so they get a terminal's
 * Ctrl-C once, from here. A second one kills them.
 */
export const forwardSignals = () => {
  for (const signal of Object.keys(forwarded)) {
    process.on(signal, () => {
      for (const [child, interrupt] of running) {
        if (interrupt === "kill") signalTo(child, "SIGKILL", interrupt)
        else if (stopping === undefined) signalTo(child, signal, interrupt)
        else if (interrupt === "group") signalTo(child, "SIGKILL", interrupt)
        else if (interrupt === "relay") signalTo(child, signal, interrupt)
      }
      stopping ??= signal
      if (running.size === 0) process.exit(forwarded[signal])
    })
  }
}

const signalTo = (child, signal, interrupt) => {
  try {
    process.kill(interrupt === "leader" || interrupt === "relay" ? child.pid : -child.pid, signal)
  } catch {
    // It has ended already.
  }
}

/**
 * Runs a program to its end and resolves to `{ code, output }`. With `stdio: "inherit"` it uses the terminal itself; otherwise both
 * outputs are collected in order of arrival, and passed by line to `onLine`. `interrupt: "leader"` signals the program alone
 * (apt-get finishes dpkg's present step), `"kill"` kills a program whose work is repeated anyway. `"relay"` gives every signal to the
 * program alone, and resolves to what it makes of the signal.
 */
export const run = (argv, { cwd, env, interrupt = "group", onLine, stdio = "collect" } = {}) =>
  new Promise((resolve, reject) => {
    if (stopping !== undefined) return reject(interrupted())
    const child = spawn(argv[0], argv.slice(1), {
      cwd,
      env: env ?? process.env,
      detached: true,
      stdio: stdio === "inherit" ? "inherit" : ["ignore", "pipe", "pipe"]
    })
    running.set(child, interrupt)
    const output = []
    for (const stream of stdio === "inherit" ? [] : [child.stdout, child.stderr]) {
      let rest = ""
      stream.setEncoding("utf8")
      stream.on("data", (text) => {
        output.push(text)
        const lines = (rest + text).split("\n")
        rest = lines.pop()
        if (onLine !== undefined) lines.forEach(onLine)
      })
    }
    child.on("error", (cause) => {
      running.delete(child)
      if (cause.code === "ENOENT") resolve({ code: 127, output: `${argv[0]}: not found` })
      else reject(cause)
    })
    child.on("close", (code, signal) => {
      running.delete(child)
      if (stopping !== undefined && interrupt !== "relay") reject(interrupted())
      else resolve({ code: code ?? 128 + (signalNumbers[signal] ?? 0), output: output.join("") })
    })
  })

/** As `run`, but an exit status other than 0 is a failure with the output, shortened in the middle. */
export const mustRun = async (what, argv, options) => {
  const { code, output } = await run(argv, options)
  if (code !== 0) throw new SetupFailed(`${what} failed (status ${code}):\n${bothEnds(output)}`)
  return output
}

export const lastLines = (text, count = 25) =>
  text.trimEnd().split("\n").slice(-count).map((line) => `  ${line}`).join("\n")

/** npm names the problem first, compilers last. */
const bothEnds = (text) => {
  const lines = text.trimEnd().split("\n")
  const shown = lines.length <= 50 ? lines : [...lines.slice(0, 20), "…", ...lines.slice(-29)]
  return shown.map((line) => `  ${line}`).join("\n")
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }
const interrupted = () => new SetupFailed("interrupted; the same command goes on from here", forwarded[stopping])
