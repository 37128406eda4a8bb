import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** Two folders of one run of the benchmarks: one on disk, one RAM-backed. Both are removed with the process. */
export interface Room {
  readonly disk: string
  readonly memory: string
  /** Ends all processes of the room and removes it. */
  readonly leave: () => void
}

/**
 * Cleans up after a killed run. It waits for our end of a pipe to close, kills every process of the room, and removes both folders.
 * Working directory, arguments or variables show the room of a process (QEMU and daemons outlive their parents). It runs twice,
 * because a dying process may have started another.
 */
const watchdog = `cat >/dev/null
for round in 1 2; do
  for process in /proc/[0-9]*; do
    case "$(readlink "$process/cwd" 2>/dev/null)" in "$1"/*) kill -9 "\${process#/proc/}" 2>/dev/null;; esac
    grep -qaF "$1/" "$process/cmdline" "$process/environ" 2>/dev/null && kill -9 "\${process#/proc/}" 2>/dev/null
  done
  sleep 0.2
done
rm -rf "$1" "$2"`

const memoryStore = () => {
  try {
    fs.accessSync("/dev/shm", fs.constants.W_OK | fs.constants.X_OK)
    return "/dev/shm"
  } catch {
    return os.tmpdir()
  }
}

export const enterRoom = (): Room => {
  const disk = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-bench-"))
  const memory = fs.mkdtempSync(path.join(memoryStore(), "pyro-bench-"))
  // A session of its own, so that Ctrl-C on the terminal does not reach it.
  const guard: ChildProcess = spawn("sh", ["-c", watchdog, "sh", disk, memory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"]
  })
  guard.unref()
  let left = false
  const leave = () => {
    if (left) return
    left = true
    // A dying process may have made a file or started another process.
    for (let round = 0; round < rounds && !(killBeneath(disk), remove(disk) && remove(memory)); round++) pause(roundMs)
    // The watchdog removes the rest after this process's end.
  }
  process.once("exit", leave)
  const exits = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
  for (const [signal, status] of Object.entries(exits)) process.once(signal, () => process.exit(status))
  return { disk, memory, leave }
}

/** Attempts to end and remove the room before the watchdog takes over, and the time between them in ms. */
const rounds = 20
const roundMs = 100

/** Waits in an ending process, whose timers no longer run. */
const pause = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

const remove = (folder: string) => {
  try {
    fs.rmSync(folder, { recursive: true, force: true })
    return true
  } catch {
    return false // a process still writes there
  }
}

/** Whether a process works in a folder, or has it in its arguments or variables. */
const belongsTo = (folder: string, pid: string) =>
  fs.readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`) ||
  ["cmdline", "environ"].some((file) => fs.readFileSync(`/proc/${pid}/${file}`).includes(`${folder}/`))

const killBeneath = (folder: string) => {
  for (const name of fs.readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (Number(name) !== process.pid && belongsTo(folder, name)) process.kill(Number(name), "SIGKILL")
    } catch {
      // The process has ended, or belongs to another user.
    }
  }
}
