import type { Effect } from "effect"
import type { Session as Ssh2Session } from "ssh2"
import { named } from "../../../contract/text/names.ts"
import type { TerminalSize } from "../../guest-channel/model/process.ts"
import type { SshChannel } from "./channel.ts"
import type { Session, SshProgram } from "./session.ts"

/** The guest has a locale of its own, and most guests have no other one. */
const isLocale = (name: string) => name === "LANG" || name === "LANGUAGE" || name.startsWith("LC_")

/** Limits of the variables that a client may set. */
const MAX_VARIABLES = 64
const MAX_VARIABLE_CHARACTERS = 4_096

/** Maximum rows and columns of a terminal: the kernel keeps 16 bits of each (ioctl_tty(2), TIOCSWINSZ). */
const MAX_CELLS = 65_535

const sizeOf = ({ cols, rows }: TerminalSize): TerminalSize => ({
  rows: Math.min(rows, MAX_CELLS),
  cols: Math.min(cols, MAX_CELLS)
})

const TERMINAL_TYPE = /^[\w.+-]{1,64}$/

/** Starts a program on a channel. `started` gets the session when the program runs. */
export type Start = (
  channel: SshChannel,
  program: SshProgram,
  started: (session: Session) => void
) => Effect.Effect<void>

type Answer = (() => void) | undefined
type Accept = () => unknown

/** Serves the requests of one session, which has one program. */
export const serveSession = (
  session: Ssh2Session,
  user: string,
  run: (work: Effect.Effect<void>) => void,
  start: Start
): void => {
  const variables = new Map<string, string>()
  let pty: SshProgram["pty"]
  let running: Session | undefined
  session.on("env", (accept: Answer, reject: Answer, { key, val }) => {
    const isTaken = /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !isLocale(key) && val.length <= MAX_VARIABLE_CHARACTERS &&
      !val.includes("\0") && variables.size < MAX_VARIABLES
    if (!isTaken) return reject?.()
    variables.set(key, val)
    accept?.()
  })
  session.on("pty", (accept: Answer, _reject: Answer, { cols, rows, term }) => {
    pty = { ...sizeOf({ cols, rows }), type: TERMINAL_TYPE.test(term ?? "") ? term! : "xterm" }
    accept?.()
  })
  session.on("window-change", (accept: Answer, _reject: Answer, { cols, rows }) => {
    const size = sizeOf({ cols, rows })
    if (running !== undefined) run(running.resize(size))
    else if (pty !== undefined) pty = { ...pty, ...size }
    accept?.()
  })
  session.on("signal", (accept: Answer, _reject: Answer, { name }) => {
    if (running !== undefined) run(running.signal(name))
    accept?.()
  })
  const begin = (accept: Accept, what: SshProgram["what"], command = "") => {
    const program = { what, command, user, env: named([...variables]), ...(pty === undefined ? {} : { pty }) }
    const channel = accept() as SshChannel | undefined
    // The session has a program already.
    if (channel === undefined) return
    run(start(channel, program, (session) => (running = session)))
  }
  session.on("shell", (accept: Accept) => begin(accept, "shell"))
  session.on("exec", (accept: Accept, _reject: Answer, { command }) => begin(accept, "command", command))
  session.on(
    "subsystem",
    (accept: Accept, reject: Answer, { name }) => name === "sftp" ? begin(accept, "sftp") : reject?.()
  )
}
