import { Data, Effect, type Scope } from "effect"
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process"
import type { Socket } from "node:net"
import { HostToolMissing } from "../../contract/errors/errors.ts"
import { table } from "../../contract/text/names.ts"

/** Debian package of each host program that pyro starts. */
const packages = table<string>({
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-img": "qemu-utils",
  bwrap: "bubblewrap",
  cpio: "cpio",
  "dpkg-deb": "dpkg",
  depmod: "kmod",
  flock: "util-linux",
  libarchive: "libarchive13",
  lz4: "lz4",
  mke2fs: "e2fsprogs",
  "mkfs.erofs": "erofs-utils",
  mmdebstrap: "mmdebstrap",
  newuidmap: "uidmap",
  setpriv: "util-linux",
  unshare: "util-linux",
  xz: "xz-utils",
  zstd: "zstd"
})

/** Package that provides a host program, or the program's own name. */
export const packageOf = (tool: string) => packages[tool.slice(tool.lastIndexOf("/") + 1)] ?? tool

/** A host program failed. Callers turn this into an error of the contract that names their work. */
export class ToolFailed extends Data.TaggedError("ToolFailed")<{
  readonly tool: string
  /** Exit status, or -1 when a signal ended it. */
  readonly code: number
  readonly signal: string | undefined
  /** End of its stderr. */
  readonly stderr: string
}> {
  override get message() {
    const how = this.signal === undefined ? `exit status ${this.code}` : `signal ${this.signal}`
    return `${this.tool}: ${how}${this.stderr === "" ? "" : `: ${this.stderr.trim()}`}`
  }
}

export interface ToolOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Bytes for its stdin. Default: none. */
  readonly input?: Uint8Array | string
  /** Called with each chunk of stderr, for progress. */
  readonly onStderr?: (chunk: string) => void
  /** Called with each chunk of stdout instead of keeping it. */
  readonly onStdout?: (chunk: Buffer) => void
  /** Exit statuses that count as success. Default: 0 only. */
  readonly okCodes?: ReadonlyArray<number>
  /** Further descriptors, from 3 on. */
  readonly descriptors?: ReadonlyArray<number>
  /** Maximum bytes of stdout. More is a failure. Default: 16 MiB. */
  readonly maxOutputBytes?: number
}

const stderrTailBytes = 8 * 1024

/** Starts a host program in its own process group with piped output. `toolEnd` waits for its end. */
export const spawnTool = (tool: string, args: ReadonlyArray<string>, options: ToolOptions): ChildProcess => {
  const child = spawn(tool, args, {
    detached: true,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe", ...(options.descriptors ?? [])],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env })
  } as SpawnOptions)
  child.stdin?.on("error", () => {}) // a tool may end before it has read everything; its status tells
  return child
}

/**
 * Runs a host program to its end, kills its remaining children, and gives its output. An interruption kills its process group and waits for
 * its end. Fails with HostToolMissing if there is no such program.
 */
export const runTool = (tool: string, args: ReadonlyArray<string>, options: ToolOptions = {}) =>
  toolEnd(
    tool,
    () => {
      const child = spawnTool(tool, args, options)
      if (options.input !== undefined) child.stdin!.end(options.input)
      return child
    },
    options
  )

/** The same for the process of `start`, which has its input already. */
export const toolEnd = (tool: string, start: () => ChildProcess, options: ToolOptions) =>
  Effect.callback<
    { readonly stdout: Buffer; readonly stderr: string; readonly code: number },
    ToolFailed | HostToolMissing
  >((resume) => {
    const child = start()
    const kept: Array<Buffer> = []
    let keptBytes = 0
    let stderr = ""
    child.stdout!.on("data", (chunk: Buffer) => {
      if (options.onStdout !== undefined) return options.onStdout(chunk)
      keptBytes += chunk.length
      if (keptBytes > (options.maxOutputBytes ?? 16 * 1024 * 1024)) return killGroup(child, "SIGKILL")
      kept.push(chunk)
    })
    child.stderr!.setEncoding("utf8").on("data", (chunk: string) => {
      options.onStderr?.(chunk)
      stderr = (stderr + chunk).slice(-stderrTailBytes)
    })
    child.on("error", (cause: NodeJS.ErrnoException) =>
      resume(Effect.fail(
        cause.code === "ENOENT"
          ? new HostToolMissing({ tool, package: packageOf(tool), detail: "it was not found on PATH" })
          : new ToolFailed({ tool, code: -1, signal: undefined, stderr: cause.message })
      )))
    // Remaining children would keep its output open for ever: an unshare without the right to a user namespace leaves its helper.
    child.on("exit", () => killGroup(child, "SIGKILL"))
    child.on("close", (code, signal) => {
      const ok = options.okCodes ?? [0]
      resume(
        code !== null && ok.includes(code)
          ? Effect.succeed({ stdout: Buffer.concat(kept), stderr, code })
          : Effect.fail(new ToolFailed({ tool, code: code ?? -1, signal: signal ?? undefined, stderr }))
      )
    })
    return killAndWait(child)
  })

/** Sends a signal to the whole process group of a detached child. */
const killGroup = (child: ChildProcess, signal: NodeJS.Signals) => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch { /* gone already */ }
}

/** Kills a detached child's group and waits until the child is reaped. */
export const killAndWait = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    killGroup(child, "SIGKILL")
  })

/** Delay before a spare process starts, in ms: the caller of the last process has its answer by then. */
const START_DELAY_MS = 300

/** A process of a tool that waits for its arguments. The start of a process blocks a daemon for 3 ms, which a spare process saves. */
export interface SpareProcess {
  /** Takes the spare process, once. Its arguments go to its stdin. */
  readonly take: () => ChildProcess | undefined
  /** Starts a spare process after a delay, unless one waits or is about to start. */
  readonly prepare: (tool: string) => Effect.Effect<void>
}

/** The Scope ends the process. It does not keep this process alive. With `args` the tool waits until its stdin ends. */
export const makeSpareProcess = (args: ReadonlyArray<string>): Effect.Effect<SpareProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    const spare = { child: undefined as ChildProcess | undefined, isStarting: false }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (spare.child !== undefined) killGroup(spare.child, "SIGKILL")
      })
    )
    // A start that waits is forked into the Scope later than this finalizer, so the Scope interrupts the start first.
    const scope = yield* Effect.scope
    const start = (tool: string) =>
      Effect.sync(() => {
        spare.isStarting = false
        const child = spawnTool(tool, args, { input: "" })
        const forget = () => {
          if (spare.child === child) spare.child = undefined
        }
        // If the tool cannot start now, the next caller gets the reason.
        child.on("error", forget).once("exit", forget)
        hold(child, false)
        spare.child = child
      })
    return {
      take: () => {
        const { child } = spare
        spare.child = undefined
        if (child !== undefined) hold(child, true)
        return child
      },
      prepare: (tool) =>
        Effect.suspend(() => {
          if (spare.child !== undefined || spare.isStarting) return Effect.void
          spare.isStarting = true
          return start(tool).pipe(
            Effect.delay(START_DELAY_MS),
            Effect.interruptible,
            Effect.forkIn(scope),
            Effect.asVoid
          )
        })
    }
  })

/** Whether this process waits for a child before it ends. */
const hold = (child: ChildProcess, isHeld: boolean) => {
  for (const one of [child, ...child.stdio] as ReadonlyArray<ChildProcess | Socket | null>) {
    if (isHeld) one?.ref()
    else one?.unref()
  }
}

/**
 * Arguments that run a command as root of its own mount and pid namespaces. Root keeps its ids. For an ordinary user, root inside
 * is the user, and other ids are the subordinate ones of `/etc/subuid`. So the tree has correct owners inside, and files written
 * outside belong to the user.
 */
export const asNamespaceRoot = (command: ReadonlyArray<string>): readonly [string, ...Array<string>] => {
  const ids = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user", "--map-auto"]
  return ["unshare", ...ids, "--mount", "--pid", "--fork", "--kill-child", ...command]
}

/** Advice for a namespace that could not be made, from the output of `unshare`. None for another error. */
export const namespaceAdvice = (stderr: string): string | undefined => {
  if (/newuidmap|newgidmap/.test(stderr) && /No such file|not found/.test(stderr)) {
    return "newuidmap is missing; install it with: sudo apt-get install uidmap"
  }
  if (/subuid|subgid|newuidmap|newgidmap|uid_map|no line matching user/i.test(stderr)) {
    return "this user has no subordinate ids; add them with: " +
      "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER"
  }
  if (/unshare: unshare failed|unshare: cannot|unshare: mount/.test(stderr)) {
    return `this host does not let this user make namespaces (${stderr.trim().split("\n")[0] ?? ""})`
  }
  return undefined
}
