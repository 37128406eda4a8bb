import { Deferred, Effect, type Scope, Stream } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { closeSync, constants, openSync, writeSync } from "node:fs"
import type { Socket } from "node:net"
import { isLinux, isWindows } from "../../system/settings/this-computer.ts"
import { Terminal } from "./Terminal.ts"

/**
 * Passes a descriptor of the terminal at stdin for the stdio of a child process. libuv makes the descriptors 0 to 2 of a child blocking, and a
 * child that inherited stdin would make this process's stdin blocking too: a read without input would then stop the event loop.
 * The child inherits a terminal that cannot be opened, such as another user's.
 */
export const withTerminal = <A>(use: (terminal: number | "inherit") => A): A => {
  let descriptor: number
  try {
    // A new description of the same terminal. /dev/fd/0 of macOS would be the old one.
    descriptor = openSync(isLinux() ? "/proc/self/fd/0" : "/dev/tty", constants.O_RDWR | constants.O_NOCTTY)
  } catch {
    return use("inherit")
  }
  try {
    return use(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const off = (...modes: ReadonlyArray<number>) => modes.map((mode) => `\u001b[?${mode}l`).join("")

/**
 * Resets modes that a guest's program may have set: VT52, mouse, focus, pasting, reports of colours and of the size, margins, reverse video, keys, hidden
 * cursor, characters, colours, scrolling region.
 */
const RESET = "\u001b<\u001b[!p" +
  off(9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 2031, 2048) +
  off(1, 5, 69) + "\u001b>\u001b[?7h\u001b[?25h\u001b(B\u000f\u001b[>4m\u001b[0m"
const LEAVE_ALTERNATE = "\u001b[?1049l"

/** Reports to the guard: the screen of the guest's program, or that this process restores the terminal itself. */
type Reported = "alternate" | "normal" | "done"

/** The process that restores the terminal if this one is killed. None on Windows, whose console gets its modes back from each program. */
const startGuard = () =>
  withTerminal((terminal) => {
    const { stdout } = spawnSync("stty", ["-g"], { stdio: [terminal, "pipe", "ignore"], encoding: "utf8" })
    const child = spawn("/bin/sh", ["-c", SCRIPT, "pyro", stdout.trim(), RESET, LEAVE_ALTERNATE], {
      stdio: [terminal, terminal, "ignore", "pipe"]
    })
    const pipe = child.stdio[3] as Socket
    // Without a shell, nothing guards the terminal.
    child.on("error", () => {})
    pipe.on("error", () => {})
    child.unref()
    pipe.unref()
    return pipe
  })

/** Restores the terminal if its input ends without the word `done`: then this process was killed. */
const SCRIPT = `trap '' INT QUIT HUP TERM TSTP TTOU
reported=normal
while read -r line; do reported=$line; done <&3
[ "$reported" = done ] && exit
[ "$reported" = alternate ] && printf '%s' "$3"
printf '%s\\r\\n' "$2"
stty "$1"`

/**
 * Restores the caller's terminal from the modes of a guest's program: when the Scope closes, when the process exits, and, by a second process,
 * when this one is killed. Call the result when the program enters or leaves the alternate screen.
 */
export const guardTerminal: Effect.Effect<(isAlternate: boolean) => void, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const pipe = isWindows() ? undefined : startGuard()
      let isAlternate = false
      const report = (what: Reported) => void pipe?.write(`${what}\n`)
      const restore = () => {
        report("done")
        pipe?.end()
        try {
          writeSync(1, (isAlternate ? LEAVE_ALTERNATE : "") + RESET)
        } catch { /* the terminal has hung up */ }
      }
      // For exits that run no finalizers, such as a second signal.
      process.once("exit", restore)
      const noteScreen = (now: boolean) => {
        if (now === isAlternate) return
        isAlternate = now
        report(now ? "alternate" : "normal")
      }
      return { noteScreen, restore }
    }),
    ({ restore }) =>
      Effect.sync(() => {
        process.off("exit", restore)
        restore()
      })
  ),
  ({ noteScreen }) => noteScreen
)

/** A sequence that sets or resets one or several private modes of a terminal. */
const MODES = /\u001b\[\?([\d;]{1,64})([hl])/g
/** Maximum length of an incomplete sequence. */
const MODES_LENGTH = 67
/** Modes that switch to the screen of full-screen programs. */
const ALTERNATE = new Set([47, 1047, 1049])

/** Reports a program's switches between the terminal's two screens. */
export const screenSwitches = (note: (isAlternate: boolean) => void) => {
  let rest = ""
  return (bytes: Uint8Array) => {
    const text = rest + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
    const last = [...text.matchAll(MODES)]
      .filter(([, modes = ""]) => modes.split(";").some((mode) => ALTERNATE.has(Number(mode))))
      .at(-1)
    if (last !== undefined) note(last[2] === "h")
    rest = text.slice(-MODES_LENGTH)
  }
}

/** A filter that passes only output that draws on the screen. */
const screenOnly = Effect.map(
  Effect.promise(() => import("../../lib/terminal/screen-only.ts")),
  ({ ScreenOnly }) => {
    const screen = new ScreenOnly()
    return (bytes: Uint8Array) => screen.pass(bytes)
  }
)

/**
 * Limits the output of a program on this terminal to drawing on the screen, as `attach` does: each event loses its other bytes. The program's modes
 * of the terminal end with the Scope.
 */
export const makeScreenOutput = (isRaw: boolean) =>
  Effect.gen(function*() {
    const pass = isRaw ? undefined : yield* screenOnly
    const terminal = yield* Terminal
    const note = screenSwitches(yield* terminal.guard)
    return <Event extends { readonly _tag: string }>(event: Event): Event => {
      if (!("bytes" in event && event.bytes instanceof Uint8Array)) return event
      const bytes = pass === undefined ? event.bytes : pass(event.bytes)
      note(bytes)
      return { ...event, bytes }
    }
  })

/** The input of a guest's program on this terminal: `keys` and window sizes, from `start` on. Until then, Ctrl-C still ends pyro itself. */
export const makeTerminalInput = (keys: Stream.Stream<Uint8Array>) =>
  Effect.gen(function*() {
    const { raw, resizes, size } = yield* Terminal
    const isRaw = yield* Deferred.make<void>()
    return {
      input: {
        stdin: Stream.unwrap(Effect.as(Deferred.await(isRaw), keys)),
        resizes: Stream.concat(Stream.fromEffect(Effect.andThen(Deferred.await(isRaw), size)), resizes)
      },
      start: Effect.andThen(raw, Deferred.succeed(isRaw, undefined))
    }
  })
