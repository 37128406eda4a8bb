import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { ErrorOf } from "../../contract/rows/operations.ts"
import type { Host } from "./host.ts"
import { pieceOf } from "./input.ts"
import { sinkOf } from "./marks.ts"
import type { CommandRef } from "./output.ts"

/** Maximum bytes of one request. */
const STEP_BYTES = 1_048_576

const over = () => new InvalidRequest({ field: "stdin", detail: "was not written: the command has ended" })

/** Writes until the guest has all bytes. The daemon waits only some seconds for a command that reads nothing, and then refuses. */
const writeAll = (
  host: Host,
  command: CommandRef,
  bytes: Uint8Array
): Effect.Effect<void, ErrorOf<"workspace.stdin">> =>
  Effect.suspend(() => {
    if (bytes.length === 0) return Effect.void
    const step = bytes.subarray(0, STEP_BYTES)
    return host.use(host.pyro.workspace.stdin({ ...command, content: step })).pipe(
      Effect.flatMap(({ ended, writtenBytes }) => ended ? Effect.fail(over()) : Effect.succeed(writtenBytes)),
      Effect.catchTag("StdinBlocked", ({ writtenBytes }) => Effect.succeed(writtenBytes)),
      Effect.flatMap((written) => writeAll(host, command, bytes.subarray(written)))
    )
  })

/** The stdin of a command, which stays open until the sink ends. */
export const stdinOf = (host: Host, command: CommandRef) =>
  sinkOf({
    write: (piece) => Effect.flatMap(pieceOf(piece, "stdin"), (bytes) => writeAll(host, command, bytes)),
    end: Effect.asVoid(host.use(host.pyro.workspace.stdin({ ...command, close: true })))
  })
