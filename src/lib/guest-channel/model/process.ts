import type { Effect, Stream } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { GuestString } from "./guest-string.ts"

/** Size of a terminal in character cells. */
export interface TerminalSize {
  readonly rows: number
  readonly cols: number
}

export interface ProcessOutput {
  readonly from: "stdout" | "stderr"
  /** Position of the first byte since the process started, per output. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** How a process ended. `code` is the exit status, or the signal's number. */
export interface ProcessExit {
  readonly _tag: "exited" | "signaled" | "oom"
  readonly code: number
  readonly durationMs: number
}

/**
 * A process in the guest. `spawn` and `adopt` have a Scope, whose end kills the process with everything it started, and releases it. A
 * process of `launch` has no Scope and runs until `release`.
 */
export interface GuestProcess {
  readonly id: string
  readonly pid: number
  /**
   * The output, in the order of arrival. The caller has to read it: the process blocks when a whole window is unread, and the exit comes
   * after the end of the output. The guest keeps every byte until the consumer asks for the next ones, so a consumer that writes each piece
   * to a log first loses nothing. One consumer.
   */
  readonly output: Stream.Stream<ProcessOutput, ChannelFailed>
  /**
   * The same, piece by piece, until all outputs end: faster than the stream and with less memory. `take` gets each piece first, in the turn of
   * its arrival, and returns `false` to leave a piece to `f`.
   */
  readonly forEachOutput: <E, R>(
    f: (output: ProcessOutput) => Effect.Effect<unknown, E, R>,
    take?: (output: ProcessOutput) => boolean
  ) => Effect.Effect<void, ChannelFailed | E, R>
  /** The guest keeps output from this position on, also after the consumer has asked for more. @default nothing is kept */
  readonly keepFrom: (output: ProcessOutput["from"], position: number) => void
  /** Input bytes that the guest has already. 0, except after `adopt`. */
  readonly stdinOffset: number
  /** Input bytes that were sent to the guest so far. An interrupted write has sent a part. */
  readonly stdinSent: () => number
  /** Waits while the process does not read. Succeeds when the process can no longer read. */
  readonly writeStdin: (bytes: Uint8Array) => Effect.Effect<void, ChannelFailed>
  /** Writes all of the bytes to the channel's socket before it returns, or none of them: then `writeStdin` has to wait. */
  readonly tryWriteStdin: (bytes: Uint8Array) => boolean
  /** Ends the input after all earlier writes. Later writes are dropped. */
  readonly endStdin: Effect.Effect<void, ChannelFailed>
  readonly resize: (size: TerminalSize) => Effect.Effect<void, ChannelFailed>
  /** Signals the process, its group or the one in the foreground of its terminal, or all processes that it started. */
  readonly signal: (
    signal: number | NodeJS.Signals,
    target?: "process" | "group" | "command"
  ) => Effect.Effect<void, ChannelFailed>
  /** Kills the process and its children. After its end, and before its release, kills its background children. */
  readonly kill: Effect.Effect<void, ChannelFailed>
  readonly exit: Effect.Effect<ProcessExit, ChannelFailed>
  /** Kills a running process and releases it in the guest, as the end of a Scope does. For a process of `launch`. */
  readonly release: Effect.Effect<void>
}

export interface SpawnRequest {
  /** Program and arguments; a program without `/` is looked up in the PATH of `env`. */
  readonly argv: readonly [GuestString, ...ReadonlyArray<GuestString>]
  /** The whole environment, as `K=V`. @default none */
  readonly env?: ReadonlyArray<GuestString> | undefined
  /** @default `/` */
  readonly cwd?: GuestString | undefined
  /** Name, uid, or uid:gid. @default root */
  readonly user?: string | undefined
  /** Whether the process has an input; else its input is /dev/null. @default false */
  readonly stdin?: boolean | undefined
  /** stdout and stderr are one pipe, which keeps their order; all output counts as stdout. Agents of an older pyro keep them apart. @default false */
  readonly mergesOutput?: boolean | undefined
  /** Runs it on a terminal of this size, on which stdout and stderr are one. */
  readonly pty?: TerminalSize | undefined
  /** Memory of everything it starts, in `bytes`; 0 = no limit. @default 0 */
  readonly memoryMaxBytes?: number | undefined
  /** Processes and threads; 0 = no limit. @default 0 */
  readonly pidsMax?: number | undefined
  /** Output the guest may send ahead of its reader, per output, 4 KiB to 16 MiB in `bytes`. @default 1 MiB */
  readonly windowBytes?: number | undefined
  /** 32 hexadecimal digits; the agent runs an id once. @default minted */
  readonly id?: string | undefined
}
