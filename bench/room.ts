import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** Two folders of one run of the benchmarks: one on disk, one where RAM backs files. Both vanish with the process. */
export interface Room {
  readonly disk: string
  readonly memory: string
  /** Ends what still runs in the room and removes it. */
  readonly leave: () => void
}

/**
 * What ends a run that was killed: it waits for our end of a pipe to close, kills every process that has to do with the room, by its
 * working directory, its arguments or its variables (QEMU and daemons outlive whoever started them), and removes both folders. Twice: what
 * is killed may have started something in its last moment.
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
  // Its own session: Ctrl-C on the terminal must not reach it.
  const guard: ChildProcess = spawn("sh", ["-c", watchdog, "sh", disk, memory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"]
  })
  guard.unref()
  let left = false
  const leave = () => {
    if (left) return
    left = true
    // What is killed may have made a file, or started something, in its last moment.
    for (let round = 0; round < rounds && !(killBeneath(disk), remove(disk) && remove(memory)); round++) pause(roundMs)
    // The watchdog removes what is there still, once this process is gone.
  }
  process.once("exit", leave)
  const exits = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
  for (const [signal, status] of Object.entries(exits)) process.once(signal, () => process.exit(status))
  return { disk, memory, leave }
}

/** How often what is in the room is ended and removed before it is left to the watchdog, and the time between, in ms. */
const rounds = 20
const roundMs = 100

/** Waits in a process that is about to end, whose timers run no more. */
const pause = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

const remove = (folder: string) => {
  try {
    fs.rmSync(folder, { recursive: true, force: true })
    return true
  } catch {
    return false // Something still writes there.
  }
}

/** Whether a process works in a folder, or has it in its arguments or its variables. */
const belongsTo = (folder: string, pid: string) =>
  fs.readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`) ||
  ["cmdline", "environ"].some((file) => fs.readFileSync(`/proc/${pid}/${file}`).includes(`${folder}/`))

const killBeneath = (folder: string) => {
  for (const name of fs.readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (Number(name) !== process.pid && belongsTo(folder, name)) process.kill(Number(name), "SIGKILL")
    } catch {
      // It has ended, or is not ours.
    }
  }
}
