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
    killBeneath(disk)
    fs.rmSync(disk, { recursive: true, force: true, maxRetries: 3 })
    fs.rmSync(memory, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once("exit", leave)
  const exits = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
  for (const [signal, status] of Object.entries(exits)) process.once(signal, () => process.exit(status))
  return { disk, memory, leave }
}

const killBeneath = (folder: string) => {
  for (const name of fs.readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (fs.readlinkSync(`/proc/${name}/cwd`).startsWith(`${folder}/`)) process.kill(Number(name), "SIGKILL")
    } catch {
      // It has ended, or is not ours.
    }
  }
}
