import { Cause, Effect, Layer, Queue, type Scope, Stream } from "effect"
import { spawnSync } from "node:child_process"
import { createReadStream, fstatSync, readFileSync, statSync } from "node:fs"
import { devNull } from "node:os"
import { isAbsolute, resolve } from "node:path"
import type { Readable } from "node:stream"
import { isatty } from "node:tty"
import { setFlagsFromString } from "node:v8"
import type { WindowSize } from "../../contract/rows/run-input.ts"
import { processEnvironment, settingNow } from "../../system/settings/config.ts"
import { isLossyDirectory } from "../../system/settings/own-bytes.ts"
import { isLinux, isWindows } from "../../system/settings/this-computer.ts"
import { interceptSignal } from "./exit.ts"
import { outputsAreOne } from "./one-output.ts"
import { guardTerminal, withTerminal } from "./screen.ts"
import { FileUnreadable, OutputClosed, Terminal } from "./Terminal.ts"
import { hasUnreadStdin } from "./unread-stdin.ts"

/** More than the input and output of a short command, in `bytes`. */
const BULK_BYTES = 262_144
let passedBytes = 0

/** Resolves a path. Leaves `-` and an empty path, and a relative path for a later refusal if no text leads to the working directory. */
const absolute = (path: string) => {
  if (path === "-" || path === "") return path
  try {
    return !isAbsolute(path) && isLossyDirectory(process.cwd()) ? path : resolve(path)
  } catch {
    return path
  }
}

/**
 * Keeps V8's young generation at its present size. Otherwise it grows to 48 MiB for the small objects of much output, however slow the
 * reader, and never shrinks. Not set from the start: most objects of a program that loads stay, and a small young generation is
 * collected twice as often, which takes 30 of a short command's 180 ms.
 */
export const boundYoungGeneration = () => setFlagsFromString("--semi-space-growth-factor=1")

/** Counts input and output. A process with much of either must stay small. */
const countPassed = (bytes: number) => {
  if (passedBytes > BULK_BYTES) return
  passedBytes += bytes
  if (passedBytes > BULK_BYTES) boundYoungGeneration()
}

/** One of the process's outputs; its reader may go away, or its disk fill up, at any moment. */
const sink = (stream: () => NodeJS.WriteStream, isTerminal: boolean) => {
  let opened: NodeJS.WriteStream | undefined
  let failure: OutputClosed | undefined
  const fail = ({ code, message }: NodeJS.ErrnoException) =>
    failure ??= new OutputClosed({ code: code ?? message, isHungUp: isTerminal && code === "EIO" })
  const open = () => {
    if (opened === undefined) {
      opened = stream()
      // Without a listener, an EPIPE would end the process with a stack trace.
      opened.on("error", fail)
    }
    return opened
  }
  return (bytes: Uint8Array | string): Effect.Effect<void, OutputClosed> =>
    Effect.callback((resume) => {
      const to = open()
      if (failure !== undefined) return resume(failure)
      countPassed(bytes.length)
      to.write(bytes, (error) => {
        resume(error == null ? Effect.void : fail(error))
      })
    })
}

/** SIGTTIN stops a background process that reads its terminal, so such a process has no stdin. */
const inBackground = () => {
  if (!isLinux()) return false
  try {
    const stat = readFileSync("/proc/self/stat", "latin1")
    // Fields after the name in brackets, proc(5): state, ppid, pgrp, session, tty_nr, tpgid.
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return foreground !== "-1" && group !== foreground
  } catch {
    return false
  }
}

/** The next piece of an input, or the end. Not an async iterator, because its wait for input cannot be interrupted. */
const nextPiece = <E>(input: Readable, failed: (cause: unknown) => Effect.Effect<never, E>) =>
  Effect.callback<Uint8Array, E>((resume) => {
    const take = () => {
      const bytes = input.read() as Uint8Array | null
      if (bytes !== null) {
        countPassed(bytes.length)
        finish(Effect.succeed(bytes))
      } else if (input.errored != null) fail(input.errored)
      else if (input.readableEnded || input.destroyed) end()
    }
    const end = () => finish(Cause.done() as Effect.Effect<never, E>)
    const fail = (cause: unknown) => finish(failed(cause))
    const leave = () => {
      input.off("readable", take).off("end", end).off("error", fail)
    }
    const finish = (result: Effect.Effect<Uint8Array, E>) => {
      leave()
      resume(result)
    }
    input.on("readable", take).on("end", end).on("error", fail)
    take()
    return Effect.sync(leave)
  })

const readStdin = <E>(failed: (cause: unknown) => Effect.Effect<never, E | Cause.Done>): Stream.Stream<Uint8Array, E> =>
  Stream.suspend(() =>
    process.stdin.isTTY && inBackground()
      ? Stream.empty
      : Stream.fromEffectRepeat(nextPiece<E | Cause.Done>(process.stdin, failed)) as Stream.Stream<Uint8Array, E>
  )

/** A stdin that cannot be read (closed, or a directory) is empty, as for other programs. */
const stdin = readStdin<never>(() => Cause.done())

/** The size of the terminal at stdout, or else of that at stderr. */
const sizeNow = (): WindowSize => ({
  rows: process.stdout.rows || process.stderr.rows || 24,
  cols: process.stdout.columns || process.stderr.columns || 80
})

const resizes = Stream.callback<WindowSize>((sizes) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const listener = () => void Queue.offerUnsafe(sizes, sizeNow())
      process.stdout.on("resize", listener)
      return listener
    }),
    (listener) => Effect.sync(() => process.stdout.off("resize", listener))
  ), { bufferSize: 1, strategy: "sliding" })

const raw = Effect.acquireRelease(
  Effect.sync(() => {
    const restore = () => {
      process.stdin.setRawMode(false)
    }
    // For exits that run no finalizers, such as a second signal.
    process.once("exit", restore)
    process.stdin.setRawMode(true)
    // Node keeps the translation of \n to \r\n, which the guest's terminal has already done. A console of Windows has a mode of its own for it.
    if (!isWindows()) {
      withTerminal((terminal) => spawnSync("stty", ["-opost"], { stdio: [terminal, "ignore", "ignore"] }))
    }
    return restore
  }),
  (restore) =>
    Effect.sync(() => {
      process.off("exit", restore)
      restore()
    })
)

const readFile = (path: string, maxBytes: number): Effect.Effect<Uint8Array, FileUnreadable> => {
  const name = path === "-" ? "the standard input" : path
  const chunks: Array<Uint8Array> = []
  let length = 0
  const keep = (chunk: Uint8Array) => {
    chunks.push(chunk)
    length += chunk.length
    return length <= maxBytes
  }
  const read = path === "-"
    ? Effect.as(Stream.runForEachWhile(stdin, (chunk) => Effect.sync(() => keep(chunk))), undefined)
    : Effect.tryPromise({
      // The file may be a FIFO: the wait for its writer can be interrupted.
      try: async (signal) => {
        for await (const chunk of createReadStream(path, { signal })) if (!keep(chunk as Uint8Array)) break
      },
      catch: (cause) => new FileUnreadable({ detail: `${name} cannot be read: ${reasonOf(cause)}` })
    })
  return Effect.flatMap(read, () =>
    length <= maxBytes
      ? Effect.succeed(Buffer.concat(chunks))
      : new FileUnreadable({ detail: `${name} has more than ${maxBytes} bytes` }))
}

/** The file may be a FIFO: the wait for its first bytes can be interrupted. */
const openFile = (
  path: string
): Effect.Effect<Stream.Stream<Uint8Array, FileUnreadable>, FileUnreadable, Scope.Scope> => {
  const called = path === "-" ? "stdin" : path
  const unreadable = (cause: unknown) => new FileUnreadable({ detail: `${called} cannot be read: ${reasonOf(cause)}` })
  // Content, of which a part must not pass for the whole.
  if (path === "-") return Effect.succeed(readStdin((cause) => Effect.fail(unreadable(cause))))
  return Effect.acquireRelease(
    Effect.sync(() => createReadStream(path)),
    (file) => Effect.sync(() => file.destroy())
  ).pipe(
    // A directory opens, and fails at its first byte.
    Effect.tap((file) =>
      Effect.callback<void, FileUnreadable>((resume) => {
        file.once("readable", () => resume(Effect.void)).on("error", (cause) => resume(unreadable(cause)))
      })
    ),
    Effect.map((file) =>
      Stream.fromEffectRepeat(
        nextPiece<FileUnreadable | Cause.Done>(file, (cause) => Effect.fail(unreadable(cause)))
      )
    )
  )
}

const reasonOf = (cause: unknown) => {
  const { code, message } = cause as NodeJS.ErrnoException
  switch (code) {
    case "ENOENT":
      return "there is no such file"
    case "EISDIR":
      return "it is a directory"
    case "EACCES":
      return "permission denied"
    default:
      return code ?? message
  }
}

/** Whether a descriptor is the null device. Node opens it in place of a closed descriptor. */
const isNull = (fd: number): boolean => {
  try {
    const stat = fstatSync(fd)
    // By its number on Linux: 1, 3. A device of Windows has no number.
    return stat.isCharacterDevice() &&
      (isWindows() ? !isatty(fd) : stat.rdev === (isLinux() ? 0x103 : statSync(devNull).rdev))
  } catch {
    return true
  }
}

/** The terminal of this process. `pendingTool`: path of the program pyro-pending. */
export const layer = (pendingTool: string | undefined): Layer.Layer<Terminal> =>
  Layer.sync(Terminal, () => {
    const writeStderr = sink(() => process.stderr, isatty(2))
    return Terminal.of({
      stdinIsTerminal: isatty(0),
      stdinIsNull: isNull(0),
      hasUnreadStdin: Effect.sync(() => pendingTool !== undefined && hasUnreadStdin(pendingTool)),
      stdoutIsTerminal: isatty(1),
      stderrIsTerminal: isatty(2),
      outputsAreOne: outputsAreOne(),
      // no-color.org: any value but the empty one.
      colour: isatty(1) && settingNow("NO_COLOR") === undefined && settingNow("TERM") !== "dumb",
      writeStdout: sink(() => process.stdout, isatty(1)),
      writeStderr: (bytes) => Effect.ignore(writeStderr(bytes)),
      stdin,
      size: Effect.sync(sizeNow),
      resizes,
      interceptSignal,
      raw,
      guard: guardTerminal,
      readFile,
      openFile,
      resolvePath: absolute,
      workspace: settingNow("PYRO_WORKSPACE"),
      variable: (name) => processEnvironment()[name],
      type: settingNow("TERM")
    })
  })
