import type { Effect } from "effect"
import type { connectUnix } from "../../system/processes/unix-socket.ts"

/** A request that was sent before the program was loaded. */
export interface BegunRequest {
  readonly id: string
  /** The connection, which yields all received bytes again. */
  readonly socket: Effect.Success<ReturnType<typeof connectUnix>>
  /** Events for which the daemon may have sent more already. */
  readonly creditedEvents: number
}

/** A command that was started before the program was loaded. */
export interface StartedExec {
  /** Id of the command. */
  readonly execId: string
  /** Undefined after the loss of its connection. */
  readonly request: BegunRequest | undefined
  /** Bytes of the command's output that were printed. */
  readonly shownBytes: number
  /** Signal that arrived before the program was loaded. */
  readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP" | undefined
  /** Removes the early signal listeners. The caller has installed its own. */
  readonly removeSignalListeners: () => void
}
