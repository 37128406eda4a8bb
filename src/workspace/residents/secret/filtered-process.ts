import { type Cause, Effect, Queue, Stream } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { GuestProcess, ProcessOutput } from "../../../guest-channel/process.ts"
import { filterPieces } from "../../../redaction/filter.ts"
import type { SecretSet } from "../../../redaction/secrets.ts"

type Output = Pick<ProcessOutput, "bytes" | "from">

/** Pieces that wait for the reader. */
const WAITING = 16

/** Output of a process without secrets, in the order of arrival. */
export const filteredOutput = (
  process: GuestProcess,
  set: SecretSet | undefined
): Stream.Stream<Output, ChannelFailed> =>
  set === undefined ? process.output : Stream.unwrap(Effect.gen(function*() {
    const waiting = yield* Queue.bounded<Output, ChannelFailed | Cause.Done>(WAITING)
    const { each, rest } = filterPieces({ set }, {
      begin: () => ({ from: 0, done: 0 }),
      lose: () => {},
      write: (from, bytes) => bytes.length === 0 ? Effect.void : Queue.offer(waiting, { from, bytes })
    })
    yield* Effect.andThen(process.forEachOutput(each), rest).pipe(
      Queue.into(waiting),
      Effect.forkScoped
    )
    return Stream.fromQueue(waiting)
  }))
