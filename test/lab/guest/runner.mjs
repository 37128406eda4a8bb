import { spawn } from "node:child_process"
import { closeSync, createReadStream, openSync, writeSync } from "node:fs"
import process from "node:process"
import { createInterface } from "node:readline"

/**
 * Takes the lab's commands inside the outer machine, one JSON document per line of a virtio-serial port:
 * `{ id, user, script }` is answered by any number of `{ id, stream, base64 }` and one `{ id, status, timedOut, ms }`.
 * `status` is as a shell gives it. A command of another user than root runs in a login session of its own. `{ id, stop: true }` ends a
 * command whose deadline is over: the lab knows how busy its host is.
 */
const port = openSync(process.argv[2], "r+")

const say = (message) => {
  let rest = Buffer.from(`${JSON.stringify(message)}\n`)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(port, rest))
    } catch (cause) {
      if (cause.code !== "EAGAIN") throw cause
    }
  }
}

const signals = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

/** What ends a command, by its id. */
const stops = new Map()

const perform = ({ id, user, script }) => {
  const startedAt = performance.now()
  const argv = user === "root" ? ["bash", "-c", script] : ["su", "--login", user, "--command", script]
  const child = spawn(argv[0], argv.slice(1), { detached: true, stdio: ["ignore", "pipe", "pipe"] })
  let timedOut = false
  stops.set(id, () => {
    timedOut = true
    try {
      process.kill(-child.pid, "SIGKILL")
    } catch {
      // It has ended, and what it started holds its output.
    }
    // What a login started is beyond the process group; its session is not.
    if (user !== "root") spawn("loginctl", ["kill-user", "--signal=KILL", user], { stdio: "ignore" })
  })
  for (const stream of ["stdout", "stderr"]) {
    child[stream].on("data", (bytes) => say({ id, stream, base64: bytes.toString("base64") }))
  }
  child.on("error", (cause) => say({ id, stream: "stderr", base64: Buffer.from(String(cause)).toString("base64") }))
  child.on("close", (code, signal) => {
    stops.delete(id)
    say({ id, status: code ?? 128 + (signals[signal] ?? 0), timedOut, ms: Math.round(performance.now() - startedAt) })
  })
}

const lines = createInterface({ input: createReadStream("", { fd: port, autoClose: false }), crlfDelay: Infinity })
lines.on("line", (line) => {
  const { stop, ...command } = JSON.parse(line)
  if (stop === true) stops.get(command.id)?.()
  else perform(command)
})
lines.on("close", () => closeSync(port))
say({ ready: true, node: process.version })
