import { Cause, Effect, type Pull, type Scope, Stream } from "effect"
import { ExportRefused } from "../../contract/errors/errors.ts"
import { words } from "../../contract/errors/next-step.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { TransferEvent, TransferEventOf } from "../../contract/rows/workspace-transfer.ts"

/** What the other machine sends, without its notices. */
export type Sent = Exclude<TransferEvent, Notice>

/** The refusal of an answer that no honest machine gives. Nothing is written then. */
export const malformed = (machine: string) => (detail: string, paths: ReadonlyArray<string> = []): ExportRefused =>
  new ExportRefused({
    detail: `${machine} sent what no export has: ${detail}`,
    paths,
    next: [words("Nothing was written. Export again, and do not trust that machine if this comes again")]
  })

/** The events of a transfer, one after the other. */
export interface Incoming<E> {
  readonly next: Effect.Effect<Sent, E | ExportRefused>
  /** The next event, which must be one of this kind. */
  readonly expect: <Tag extends Sent["_tag"]>(tag: Tag) => Effect.Effect<TransferEventOf<Tag>, E | ExportRefused>
  readonly refuse: ReturnType<typeof malformed>
}

/** Reads a transfer as long as the Scope. The caller gets the notices as they come. */
export const incoming = <E>(
  events: Stream.Stream<TransferEvent, E>,
  machine: string,
  tell: (notice: Notice) => Effect.Effect<unknown>
): Effect.Effect<Incoming<E>, never, Scope.Scope> =>
  Effect.map(Stream.toPull(events), (pull: Pull.Pull<ReadonlyArray<TransferEvent>, E>) => {
    const refuse = malformed(machine)
    const ended = refuse("it ended before everything was there")
    let batch: ReadonlyArray<TransferEvent> = []
    let at = 0
    const next: Effect.Effect<Sent, E | ExportRefused> = Effect.gen(function*() {
      for (;;) {
        if (at === batch.length) {
          batch = yield* Effect.mapError(pull, (error) => Cause.isDone(error) ? ended : error)
          at = 0
          continue
        }
        const event = batch[at++]!
        if (event._tag !== "Notice") return event
        yield* tell(event)
      }
    })
    return {
      next,
      expect: (tag) =>
        Effect.flatMap(next, (event) =>
          event._tag === tag
            ? Effect.succeed(event as never)
            : Effect.fail(refuse(`${event._tag} came in place of ${tag}`))),
      refuse
    }
  })
