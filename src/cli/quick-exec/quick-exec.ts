import * as fs from "node:fs"
import { connect } from "node:net"
import * as path from "node:path"
import type { StartedExec } from "../../sdk/model/started-exec.ts"
import { runsMicroVms } from "../../system/settings/this-computer.ts"
import { outputsAreOne } from "../terminal/one-output.ts"
import { hasUnreadStdin, unreadStdinText } from "../terminal/unread-stdin.ts"
import {
  CREDIT_EVENTS,
  creditFrame,
  nextEvents,
  type PlainEvent,
  type RecordedFrames,
  REQUEST_ID,
  requestFrame
} from "./frames.ts"

interface Command {
  readonly workspace: string
  readonly command: ReadonlyArray<string>
}

/** A name or an id without special characters. */
const NAME = /^[A-Za-z0-9][\w.-]{0,62}$/

/** Reads a command line of the form `workspace exec NAME [--] PROGRAM ARGS`. The parser reads other forms. */
export const commandOf = (argv: ReadonlyArray<string>): Command | undefined => {
  const [group, verb, workspace = "", ...words] = argv
  if (group !== "workspace" || verb !== "exec" || !NAME.test(workspace)) return undefined
  const [first, ...others] = words
  // There is an option before the command's first word.
  const command = first === "--" ? others : first?.startsWith("-") === true ? [] : words
  return command.length > 0 ? { workspace, command } : undefined
}

/** Maximum length of a socket's path, in bytes. */
const MAX_ADDRESS_BYTES = 107

/** The daemon's folder, if the state directory is private to this user. */
const folder = (env: NodeJS.ProcessEnv): string | undefined => {
  const named = env["PYRO_STATE_DIR"]
  const base = env["XDG_STATE_HOME"] ?? ""
  const state = named
    ? named
    : path.isAbsolute(base)
    ? path.join(base, "pyro")
    : env["HOME"]
    ? path.join(env["HOME"], ".local/state", "pyro")
    : undefined
  // The loaded program knows whether a U+FFFD stands for bytes that are not UTF-8.
  if (state === undefined || !path.isAbsolute(state) || state.includes("\ufffd")) return undefined
  const { mode, uid } = fs.lstatSync(state)
  const isOwn = (mode & fs.constants.S_IFMT) === fs.constants.S_IFDIR && (mode & 0o077) === 0 &&
    uid === process.getuid?.()
  return isOwn ? path.join(state, "daemon") : undefined
}

/** Whether a context may be chosen (src/remote/contexts.ts), so that another machine does the work. */
const mayBeRemote = (daemon: string, env: NodeJS.ProcessEnv) =>
  (env["PYRO_CONTEXT"] ?? "") !== "" || fs.existsSync(path.join(daemon, "../contexts/current"))

/** The socket of the daemon of this build; undefined if there is none, or if an error must be reported. */
const daemonSocket = (build: string, env: NodeJS.ProcessEnv): string | undefined => {
  try {
    const daemon = folder(env)
    if (daemon === undefined || mayBeRemote(daemon, env)) return undefined
    const socket = path.join(daemon, "socket")
    if (Buffer.byteLength(socket) > MAX_ADDRESS_BYTES) return undefined
    const { version } = JSON.parse(fs.readFileSync(path.join(daemon, "daemon.json"), "utf8")) as {
      readonly version?: unknown
    }
    return version === build ? socket : undefined
  } catch {
    return undefined
  }
}

/** JSON of `RecordedFrames`. The build defines it. */
declare const RECORDED: string

/**
 * Maximum received bytes. After them, the loaded program continues: this file keeps all received bytes in memory. A command with more
 * output runs long enough to load the program.
 */
const MAX_BYTES = 262_144

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** Result: the exit status, or the state for the loaded program. */
type QuickExec = { readonly status: number } | { readonly started: StartedExec }

const newId = () => {
  const random = Buffer.alloc(16)
  const source = fs.openSync("/dev/urandom", "r")
  fs.readSync(source, random)
  fs.closeSync(source)
  return random.toString("hex")
}

type Connected = ReturnType<typeof connect>

/** What the command has printed. */
const makeShown = () => {
  let bytes = 0
  return {
    /** Number of bytes of output that are written. */
    bytes: () => bytes,
    /** Writes output. False if a write fails or would block. */
    show: ({ bytes: output, from, next }: Extract<PlainEvent, { readonly _tag: "Output" }>): boolean => {
      const left = () => output.subarray(Math.max(0, output.length - (next - bytes)))
      for (let rest = left(); rest.length > 0; rest = left()) {
        bytes = Math.max(bytes, next - rest.length)
        try {
          bytes += fs.writeSync(from === "stdout" ? 1 : 2, rest)
        } catch {
          return false
        }
      }
      return true
    }
  }
}

/** True to continue, false to hand over to the loaded program. A number is the exit status. */
type Went = boolean | number

/** Reads batches of events, and gives credit for each that was taken. */
const makeInbox = (socket: Connected, frames: RecordedFrames, take: (events: ReadonlyArray<PlainEvent>) => Went) => {
  let received = Buffer.alloc(0)
  let at = 0
  let creditedEvents = 0
  let takenEvents = 0
  return {
    creditedEvents: () => creditedEvents,
    /** All bytes so far: the loaded program reads them again. */
    received: () => received,
    add: (chunk: Buffer): Went => {
      received = Buffer.concat([received, chunk])
      for (let next = nextEvents(frames, received, at); next !== undefined; next = nextEvents(frames, received, at)) {
        const { end, events } = next
        at = end
        const went = events !== undefined && take(events)
        if (went !== true) return went
        takenEvents += events.length
        for (; takenEvents - creditedEvents >= CREDIT_EVENTS; creditedEvents += CREDIT_EVENTS) {
          socket.write(creditFrame(frames))
        }
      }
      return received.length <= MAX_BYTES
    }
  }
}

const tellUnread = (pending: string) => {
  try {
    if (hasUnreadStdin(pending)) fs.writeSync(2, unreadStdinText("exec"))
  } catch { /* nobody reads stderr */ }
}

const run = (socket: Connected, command: Command, pending: string): Promise<QuickExec> =>
  new Promise((resolve) => {
    const frames = JSON.parse(RECORDED) as RecordedFrames
    const execId = newId()
    const shown = makeShown()
    const inbox = makeInbox(socket, frames, (events) => {
      for (const event of events) {
        if (event._tag === "Exited") return event.status
        if (event._tag === "Output" && !shown.show(event)) return false
      }
      return true
    })
    let isOver = false

    const stopListening = () => {
      socket.off("data", data).off("close", lost)
      socket.pause()
    }
    const removeSignalListeners = () => SIGNALS.forEach((one) => process.off(one, signalled))
    const handOver = (given: { readonly isLost?: boolean; readonly signal?: StartedExec["signal"] }) => {
      if (isOver) return
      isOver = true
      stopListening()
      if (given.isLost !== true) socket.unshift(inbox.received())
      const request = { id: REQUEST_ID, socket, creditedEvents: inbox.creditedEvents() }
      resolve({
        started: {
          execId,
          request: given.isLost === true ? undefined : request,
          shownBytes: shown.bytes(),
          signal: given.signal,
          removeSignalListeners
        }
      })
    }
    const lost = () => handOver({ isLost: true })
    const signalled = (signal: NodeJS.Signals) => handOver({ signal: signal as StartedExec["signal"] })
    const data = (chunk: Buffer) => {
      const went = inbox.add(chunk)
      if (went === false) return handOver({})
      if (went === true) return
      isOver = true
      stopListening()
      socket.destroy()
      tellUnread(pending)
      resolve({ status: went })
    }

    SIGNALS.forEach((one) => process.on(one, signalled))
    socket.on("error", () => {}).on("data", data).on("close", lost)
    socket.write(requestFrame(frames, { ...command, execId, order: outputsAreOne() ? "written" : "stream" }))
  })

/**
 * Runs a simple command through a running daemon, without the program, whose load takes longer than most commands. Undefined
 * if no request was sent. The loaded program handles everything but plain output and an exit status. It then reads the connection from the
 * first byte.
 */
export const quickExec = (
  argv: ReadonlyArray<string>,
  build: string,
  pending: string
): Promise<QuickExec | undefined> | undefined => {
  // A client has no daemon of this computer.
  if (!runsMicroVms()) return undefined
  const command = commandOf(argv)
  const address = command && daemonSocket(build, process.env)
  if (command === undefined || address === undefined) return undefined
  return new Promise((resolve) => {
    const socket = connect({ path: address })
    socket.once("error", () => resolve(undefined))
    socket.once("connect", () => {
      socket.removeAllListeners("error")
      resolve(run(socket, command, pending))
    })
  })
}
