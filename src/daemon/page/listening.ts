import { Effect } from "effect"
import { PageUnavailable } from "../../contract/errors/errors.ts"
import { command } from "../../contract/errors/next-step.ts"
import { MESSAGE_BYTES } from "../../contract/wire/serialization.ts"
import type { PortNotHeld } from "../../system/processes/held-port.ts"
import { nativeTool } from "../../system/processes/native.ts"
import { admit, answer, type Answering } from "./answers.ts"
import { readPageFiles } from "./files.ts"
import type { Limits, Listener, WebSocket } from "./page-listener.ts"
import type { KeptSession, Sessions } from "./sessions.ts"

const LIMITS = (): Limits => ({
  webSockets: 256,
  connections: 512,
  headMs: 5_000,
  // A frame may have more than one message.
  messageBytes: MESSAGE_BYTES + 65_536,
  // The browser of a person who runs pyro as root may belong to another user, who has the session then.
  user: process.getuid?.() || undefined
})

const refusal = (cause: unknown, port: number) => {
  const { message, reason, where } = cause as PortNotHeld
  return new PageUnavailable({
    detail: reason === "EADDRINUSE"
      ? `port ${port} of ${where} is already in use`
      : reason === "sock_diag"
      ? "the kernel does not tell which user has a connection; load its module: sudo modprobe tcp_diag"
      : `the host refuses: ${message}`
  })
}

/** What a listener of the page needs. */
interface Needs {
  /** Directory of the built page. */
  readonly directory: string
  /** Folder of the daemon's state, where the helper that holds the port has its socket. */
  readonly folder: string
  readonly limits: Partial<Limits> | undefined
  readonly sessions: Sessions
  readonly connected: (webSocket: WebSocket, session: KeptSession) => void
  /** Runs before each listener accepts connections. */
  readonly ready: Effect.Effect<unknown>
  /** The listener ended by itself. */
  readonly onLost: () => void
}

/** The place where the page listens: one port at a time. Requests get the files and the sessions of the moment. */
export const makeListening = ({ connected, directory, folder, limits, onLost, ready, sessions }: Needs) => {
  let present: { readonly listener: Listener; answering: Answering } | undefined

  /** Listens at a port, or at a free one for 0. An earlier listener stays open. */
  const at = (port: number) =>
    Effect.gen(function*() {
      const files = readPageFiles(directory)
      if (files === undefined) {
        return yield* new PageUnavailable({
          detail: `${directory} has no page`,
          next: [command("Build it", "npm run build")]
        })
      }
      const tool = yield* Effect.mapError(
        nativeTool("pyro-port"),
        ({ fact, next }) => new PageUnavailable({ detail: fact, next })
      )
      const { listen } = yield* Effect.promise(() => import("./page-listener.ts"))
      yield* ready
      const behind = () => present!.answering
      const lost = () => {
        if (present?.listener !== listener) return
        present = undefined
        onLost()
      }
      const listener: Listener = yield* Effect.tryPromise({
        try: () =>
          listen<KeptSession>({ port, tool, directory: folder, onLost: lost }, {
            answer: (asked) => answer(behind(), asked),
            admit: (asked) => admit(behind(), asked),
            connected
          }, { ...LIMITS(), ...limits }),
        catch: (cause) => refusal(cause, port)
      })
      present = { listener, answering: { port: listener.port, files, sessions } }
      return listener
    })

  const stop = Effect.suspend(() => {
    const ended = present
    present = undefined
    return ended === undefined ? Effect.void : Effect.promise(() => ended.listener.close())
  })

  /** Takes the files of the page as they are now. */
  const renewFiles = () => {
    const files = readPageFiles(directory)
    if (files !== undefined && present !== undefined) present.answering = { ...present.answering, files }
  }

  return { now: () => present?.listener, at, stop, renewFiles }
}
