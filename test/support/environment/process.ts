import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { bundled } from "../package/bundled.ts"
import { lapsed } from "../until.ts"

const project = path.resolve(import.meta.dirname, "..", "..", "..")

export interface Outcome {
  readonly ok?: Record<string, unknown>
  readonly error?: {
    readonly tag: string
    readonly message: string
    readonly fields: Readonly<Record<string, unknown>>
  }
  /** Steps that it went through, in order. */
  readonly steps: ReadonlyArray<string>
}

/** A running driver: what it has said so far, and what it ends with. */
export interface Driver {
  readonly pid: number
  readonly reaches: (step: string) => Promise<void>
  readonly ended: Promise<Outcome>
  readonly kill: () => Promise<Outcome>
}

/**
 * A copy of the project's environment part in a folder that everybody may read, so that other users can run it from there.
 * `remove` must be called.
 */
export const packDriver = async () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-environments-"))
  fs.chmodSync(home, 0o755)
  const program = path.join(home, "package", "driver.mjs")
  // The nearest folder with a guest-agent in it is where a program looks for the recipes.
  fs.mkdirSync(path.join(home, "package", "guest-agent"), { recursive: true })
  fs.cpSync(path.join(project, "rootfs"), path.join(home, "package", "rootfs"), { recursive: true })
  await bundled(path.join(import.meta.dirname, "driver.ts"), program)
  return { home, program, remove: () => fs.rmSync(home, { recursive: true, force: true }) }
}

/** Starts a driver, after `prefix` (such as `unshare --net`), with its cache and state beneath `home`. */
export const startDriver = (options: {
  readonly program: string
  readonly home: string
  readonly words: ReadonlyArray<string>
  readonly prefix?: ReadonlyArray<string>
  readonly env?: NodeJS.ProcessEnv
}): Driver => {
  const [command = "", ...args] = [...(options.prefix ?? []), process.execPath, options.program, ...options.words]
  const child: ChildProcess = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: "/usr/bin:/bin",
      ...options.env,
      HOME: options.home,
      PYRO_CACHE_DIR: path.join(options.home, "cache"),
      PYRO_STATE_DIR: path.join(options.home, "state"),
      PYRO_MEMORY_DIR: path.join(options.home, "memory")
    }
  })
  let stdout = ""
  let stderr = ""
  const watchers = new Set<() => void>()
  const steps = () => [...stderr.matchAll(/^step: (.*)\n/gm)].map(([, step]) => step!)
  child.stdout!.setEncoding("utf8").on("data", (text: string) => void (stdout += text))
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
    watchers.forEach((watch) => watch())
  })
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (_, signal) => {
      if (stdout !== "") return resolve({ ...JSON.parse(stdout), steps: steps() })
      if (signal === "SIGKILL") return resolve({ steps: steps() })
      reject(new Error(`the driver said nothing: ${stderr}`))
    })
  })
  const reaches = (step: string) =>
    new Promise<void>((resolve, reject) => {
      const watch = () => {
        if (steps().includes(step)) resolve()
      }
      watchers.add(watch)
      watch()
      ended.then(({ error }) => reject(new Error(`it ended before "${step}": ${error?.message}`)), reject)
    })
  const kill = () => {
    child.kill("SIGKILL")
    return ended
  }
  return { pid: child.pid!, reaches, ended, kill }
}

/** Command lines of processes whose surroundings mention a folder: all that a build started, wherever its parents are. */
export const processesOf = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
    try {
      const surroundings = fs.readFileSync(`/proc/${pid}/environ`, "latin1")
      return surroundings.includes(folder)
        ? [fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")]
        : []
    } catch {
      return [] // it ended meanwhile, or belongs to somebody else
    }
  })

/** Waits until a condition holds, polling. */
export const until = async (what: string, condition: () => boolean, withinMs = 10_000) => {
  const end = Date.now() + withinMs
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms in vain: ${what}`)
    await lapsed(20)
  }
}

/** A driver whose cache is a small file system of its own, of that many MiB. */
export const onSmallDisk = (program: string, home: string, mib: number, words: ReadonlyArray<string>) => {
  fs.mkdirSync(path.join(home, "cache"), { recursive: true, mode: 0o700 })
  const script = `mount -t tmpfs -o size=${mib}m,mode=700 tmpfs "$1" && shift && exec "$@"`
  const prefix = ["unshare", "--mount", "sh", "-c", script, "sh", path.join(home, "cache")]
  return startDriver({ program, home, words, prefix })
}
