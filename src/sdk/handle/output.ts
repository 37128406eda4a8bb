import { Effect, Stream } from "effect"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import { count } from "../../contract/text/count.ts"
import { numberSignal } from "../../contract/text/signals.ts"
import type { Bytes, Ended } from "../promises/common.ts"
import type { Host } from "./host.ts"

/** A command of a workspace. */
export interface CommandRef {
  readonly workspace: string
  readonly execId: string
}

/** Bytes in memory of their own: pieces of a message share one. */
export const ownBytes = (bytes: Uint8Array): Bytes =>
  bytes.length === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer)
    : new Uint8Array(bytes)

/**
 * The output of a command from its start on. The reader's pace is that of the events: the daemon sends a few ahead. Output that is gone
 * is a failure, because its reader would take the rest for the whole.
 */
export const outputOf = (
  { pyro, useStream }: Host,
  command: CommandRef,
  from: "stdout" | "stderr" | "both"
) =>
  Stream.suspend(() => {
    let position = 0
    return useStream(pyro.workspace.exec({ ...command, cursor: 0 })).pipe(
      Stream.mapEffect((event): Effect.Effect<ReadonlyArray<Bytes>, ChannelFailed> => {
        if (event._tag !== "Output") return Effect.succeed([])
        const lost = event.next - event.bytes.length - position
        position = event.next
        if (lost > 0) {
          return new ChannelFailed({
            detail: `${count(lost, "byte")} of the output ${lost === 1 ? "is" : "are"} no longer kept`
          })
        }
        return Effect.succeed(from === "both" || event.from === from ? [ownBytes(event.bytes)] : [])
      }),
      Stream.flattenIterable
    )
  })

/** How a command ended, in the handle's form. */
export const endedOf = (
  { durationMs, outcome, signal, status }: {
    readonly outcome: Ended["outcome"] | "running"
    readonly status?: number | undefined
    readonly signal?: number | undefined
    readonly durationMs?: number | undefined
  }
): Ended => ({
  status: status ?? 0,
  signal: signal === undefined ? null : numberSignal(signal),
  outcome: outcome === "running" ? "exited" : outcome,
  durationMs: durationMs ?? 0
})

/** The end of a command, without its output. */
export const endOf = ({ pyro, use }: Host, command: CommandRef) =>
  Effect.map(use(pyro.workspace.exec.collect(command, { withoutOutput: true })), endedOf)
