import { Effect, type Scope } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { writeSync } from "node:fs"
import type { Socket } from "node:net"
import { withTerminal } from "./terminal-descriptor.ts"

const off = (...modes: ReadonlyArray<number>) => modes.map((mode) => `\u001b[?${mode}l`).join("")

/**
 * Modes that a guest's program may have asked for: VT52, mouse, focus, pasting, reports of colours and of the size, margins, reverse video, keys, hidden
 * cursor, characters, colours, scrolling region.
 */
const RESET = "\u001b<\u001b[!p" +
  off(9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 2031, 2048) +
  off(1, 5, 69) + "\u001b>\u001b[?7h\u001b[?25h\u001b(B\u000f\u001b[>4m\u001b[0m"
const LEAVE_ALTERNATE = "\u001b[?1049l"

/** What the guard is told: the screen that the guest's program uses, or that this process restores the terminal by itself. */
type Told = "alternate" | "normal" | "done"

/** Restores the terminal when its stdin ends without the word `done`: this process was killed. */
const SCRIPT = `trap '' INT QUIT HUP TERM TSTP TTOU
told=normal
while read -r line; do told=$line; done <&3
[ "$told" = done ] && exit
[ "$told" = alternate ] && printf '%s' "$3"
printf '%s\\r\\n' "$2"
stty "$1"`

/**
 * Restores the caller's terminal from what a guest's program made of it: when the Scope closes, when the process exits, and, by a process of
 * its own, when this one is killed. The result is told when the program enters or leaves the alternate screen.
 */
export const guardTerminal: Effect.Effect<(isAlternate: boolean) => void, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = withTerminal((terminal) => {
        const { stdout } = spawnSync("stty", ["-g"], { stdio: [terminal, "pipe", "ignore"], encoding: "utf8" })
        return spawn("/bin/sh", ["-c", SCRIPT, "pyro", stdout.trim(), RESET, LEAVE_ALTERNATE], {
          stdio: [terminal, terminal, "ignore", "pipe"]
        })
      })
      const pipe = child.stdio[3] as Socket
      // Without a shell there is no guard.
      child.on("error", () => {})
      pipe.on("error", () => {})
      child.unref()
      pipe.unref()
      let isAlternate = false
      const tell = (what: Told) => void pipe.write(`${what}\n`)
      const restore = () => {
        tell("done")
        pipe.end()
        try {
          writeSync(1, (isAlternate ? LEAVE_ALTERNATE : "") + RESET)
        } catch { /* the terminal has hung up */ }
      }
      // Also for the exits that run no finalizers, such as a second signal.
      process.once("exit", restore)
      const noteScreen = (now: boolean) => {
        if (now === isAlternate) return
        isAlternate = now
        tell(now ? "alternate" : "normal")
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
