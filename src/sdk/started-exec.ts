import type { Effect } from "effect"
import type { connectUnix } from "../system/unix-socket.ts"

/** A command that was asked for before the program was loaded, and goes on in it. */
export interface StartedExec {
  /** Id of the command. */
  readonly execId: string
  /** Id of the request for it. */
  readonly requestId: string
  /** The connection, which gives everything that was received once more; undefined where it was lost. */
  readonly socket: Effect.Effect.Success<ReturnType<typeof connectUnix>> | undefined
  /** Messages that the daemon has got already: names of requests, and `Ack`. */
  readonly sent: ReadonlyArray<string>
  /** Bytes of the command's output that were shown already. */
  readonly shownBytes: number
  /** A signal that came meanwhile. */
  readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP" | undefined
  /** To be called by whoever receives the signals of this process from now on. */
  readonly signalsTaken: () => void
}
