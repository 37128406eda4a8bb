import * as fs from "node:fs"
import { isLinux } from "../../system/settings/this-computer.ts"

/** Value of the access mode in `flags` of /proc/PID/fdinfo/FD, which is octal: such a descriptor reads nothing. */
const WRITE_ONLY = 1

const flagsOf = (fdinfo: string) => Number.parseInt(/^flags:\s*(\d+)$/m.exec(fdinfo)?.[1] ?? "0", 8)

/**
 * Whether the parent process can read the same pipe or file. Then stdin is the input of a loop, a script or a test program around pyro, and not meant
 * for the command: `while read name; do pyro exec fix -- …; done`. True if that is unknown.
 */
const isSharedByParent = (): boolean => {
  try {
    const own = fs.readlinkSync("/proc/self/fd/0")
    const parent = `/proc/${process.ppid}`
    return fs.readdirSync(`${parent}/fd`).some((fd) => {
      try {
        return fs.readlinkSync(`${parent}/fd/${fd}`) === own &&
          (flagsOf(fs.readFileSync(`${parent}/fdinfo/${fd}`, "latin1")) & 3) !== WRITE_ONLY
      } catch {
        // Closed meanwhile.
        return false
      }
    })
  } catch {
    return true
  }
}

/** Whether a file at stdin has content, and nothing was read from the descriptor. */
const isUnreadFile = (bytes: number) =>
  bytes > 0 && /^pos:\s*0$/m.test(fs.readFileSync("/proc/self/fdinfo/0", "latin1"))

/** The module costs 2 ms, which only a command with a pipe at stdin pays. */
const childProcess = () => process.getBuiltinModule("node:child_process")

/** Node has no FIONREAD, and a read would take what the next program of the shell may want. */
const hasBytes = (pending: string) =>
  childProcess().spawnSync(pending, [], { stdio: ["inherit", "ignore", "ignore"], timeout: 1_000 }).status === 0

/**
 * Whether the standard input has unread data that is for pyro alone: `echo x | pyro run …`. Reads nothing and waits for
 * nothing. False without /proc. `pending` is the path of the program pyro-pending. For the end of a command that did not get the standard input.
 */
export const hasUnreadStdin = (pending: string): boolean => {
  if (!isLinux()) return false
  try {
    const stat = fs.fstatSync(0)
    if (stat.isFile()) return isUnreadFile(stat.size) && !isSharedByParent()
    return (stat.isFIFO() || stat.isSocket()) && !isSharedByParent() && hasBytes(pending)
  } catch {
    return false
  }
}

/** The notice about it. `verb` is the command that the person typed, such as `run`. */
export const unreadStdinText = (verb: string): string =>
  `pyro: notice: standard input was not passed to the command. To pass it: pyro ${verb} -i …\n`
