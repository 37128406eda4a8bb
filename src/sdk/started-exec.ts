import type { Effect } from "effect"
import type { connectUnix } from "../system/processes/unix-socket.ts"

/** A command that was started before the program was loaded. */
export interface StartedExec {
  /** Id of the command. */
  readonly execId: string
  /** Id of the RPC request. */
  readonly requestId: string
  /** The connection, which yields all received bytes again. `undefined` after a loss. */
  readonly socket: Effect.Success<ReturnType<typeof connectUnix>> | undefined
  /** Messages that the daemon has received: names of requests, and `Ack`. */
  readonly sent: ReadonlyArray<string>
  /** Bytes of the command's output that were printed. */
  readonly shownBytes: number
  /** Signal that arrived before the program was loaded. */
  readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP" | undefined
  /** Removes the early signal listeners. The caller has installed its own. */
  readonly removeSignalListeners: () => void
}
