import { spawn as spawnTerminal } from "node-pty"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { lapsed } from "../support/until.ts"

/** A built command line and the context it is started in. */
export interface Binary {
  readonly entry: string
  readonly env: Readonly<Record<string, string>>
}

export interface Ended {
  /** Null if a signal ended it. */
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** Starts pyro as a process. Its stdin is `input`, or stays open and silent as it does for a caller that forgets it. */
export const start = (
  binary: Binary,
  args: ReadonlyArray<string>,
  options: { readonly input?: Uint8Array | string; readonly env?: Readonly<Record<string, string>> } = {}
) => {
  const child = spawn(process.execPath, [binary.entry, ...args], {
    env: { ...process.env, ...binary.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"]
  })
  const stdout: Array<Buffer> = []
  let stderr = ""
  child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes))
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString()
  })
  child.stdin.on("error", () => undefined)
  if (options.input !== undefined) child.stdin.end(options.input)
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (status, signal) => resolve({ status, signal, stdout: Buffer.concat(stdout), stderr }))
  })
  const printed = () => Buffer.concat(stdout).toString()
  return { child, ended, printed, complained: () => stderr } as const
}

/** Runs pyro to its end with an empty stdin. */
export const run = (
  binary: Binary,
  args: ReadonlyArray<string>,
  options: { readonly input?: Uint8Array | string; readonly env?: Readonly<Record<string, string>> } = {}
) => start(binary, args, { input: "", ...options }).ended

/** A shell line in which `"$@"` is pyro with `args`. */
export const shell = (binary: Binary, line: string, args: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn("bash", ["-c", line, "bash", process.execPath, binary.entry, ...args], {
      env: { ...process.env, ...binary.env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const stdout: Array<Buffer> = []
    let stderr = ""
    child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes))
    child.stderr.on("data", (bytes: Buffer) => {
      stderr += bytes.toString()
    })
    child.once("close", (status, signal) => resolve({ status, signal, stdout: Buffer.concat(stdout), stderr }))
  })

/** Written behind all that a line printed on its terminal. */
const OVER = "\u001b]9;over\u0007"

/**
 * Runs a line, and waits for a key once all is printed: node-pty drops what is unread 200 ms after its process has ended, which on a busy
 * host is the last line. The shell ignores the signals that the line gets.
 */
const readToItsEnd = (line: string) =>
  `trap : INT QUIT HUP TERM; (trap - INT QUIT HUP TERM; ${line}); status=$?; ` +
  `printf '${OVER}'; stty sane; read -r; exit $status`

/** Starts a shell line, in which `"$@"` is pyro with `args`, on a terminal of its own. */
export const onTerminal = (binary: Binary, line: string, args: ReadonlyArray<string>) =>
  startOnTerminal(binary, readToItsEnd(line), args)

/** Starts pyro as the first process of a terminal of its own, which alone is told of its hang-up. Its last line may be lost. */
export const leadingTerminal = (binary: Binary, args: ReadonlyArray<string>) =>
  startOnTerminal(binary, `exec "$@"`, args)

const startOnTerminal = (binary: Binary, line: string, args: ReadonlyArray<string>) => {
  const terminal = spawnTerminal("bash", ["-c", line, "bash", process.execPath, binary.entry, ...args], {
    rows: 30,
    cols: 100,
    name: "xterm-256color",
    env: { ...process.env, ...binary.env } as Record<string, string>
  })
  let screen = ""
  let isOver = false
  terminal.onData((text) => {
    if (isOver) return
    screen += text
    const end = screen.indexOf(OVER, Math.max(0, screen.length - text.length - OVER.length))
    if (end < 0) return
    isOver = true
    screen = screen.slice(0, end)
    terminal.write("\r")
  })
  /** The status, as a shell gives it. */
  const ended = new Promise<number>((resolve) =>
    terminal.onExit(({ exitCode, signal = 0 }) => resolve(signal === 0 ? exitCode : 128 + signal))
  )
  return { terminal, ended, screen: () => screen } as const
}

/** Whether pyro has taken over signals: Node itself catches SIGINT and SIGTERM from the start, and SIGHUP (bit 0) never. */
export const handlesSignals = (pid: number) =>
  /SigCgt:\s+[0-9a-f]*[13579bdf]$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))

/** Waits for a condition; fails with what was waited for, and `seen`, when it does not come true. */
export const eventually = async (what: string, condition: () => boolean, seen: () => string = () => "") => {
  const deadline = Date.now() + 60_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}; saw: ${JSON.stringify(seen())}`)
    await lapsed(10)
  }
}
