import { Effect, Fiber, Option, Result } from "effect"

/** Maximum wait of a call in ms, before it answers that its work continues: hosts give up a call after a minute. */
const WAIT_MS = 45_000
/** Time for which a finished result waits for a call. */
const KEPT = "5 minutes"

type Say = (message: string) => void

/** Work that may outlive the call that began it. */
interface Work {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** Its last progress message. */
  last: string
  /** Reports progress to the call that waits now. */
  hear: Say
  /** The preparation has ended: the call waits to the end. */
  isUnderWay: boolean
}

export interface Pending {
  /**
   * Does the work of a call, or resumes the work that an equal call left. Fails with the last progress message if the work is not done in
   * time. The work then continues, and the next call of the same key resumes it. The interruption of a call ends its work.
   */
  readonly work: <A, E>(
    key: string,
    report: Say,
    start: (report: Say, underWay: () => void) => Effect.Effect<A, E>
  ) => Effect.Effect<Result.Result<A, string>, E>
}

/** The unfinished work of one server's calls. */
export const makePending = (waitMs = WAIT_MS): Pending => {
  const left = new Map<string, Array<Work>>()

  const remove = (key: string, work: Work) => {
    const others = (left.get(key) ?? []).filter((one) => one !== work)
    if (others.length > 0) left.set(key, others)
    else left.delete(key)
  }

  const take = (key: string) => {
    const work = left.get(key)?.[0]
    if (work !== undefined) remove(key, work)
    return work
  }

  /** No call waits for it. */
  const leave = (key: string, work: Work) => {
    left.set(key, [...left.get(key) ?? [], work])
    return Fiber.await(work.fiber).pipe(
      Effect.andThen(Effect.sleep(KEPT)),
      Effect.andThen(Effect.sync(() => remove(key, work))),
      Effect.interruptible,
      Effect.forkDetach
    )
  }

  const begin = (start: (report: Say, underWay: () => void) => Effect.Effect<unknown, unknown>) =>
    Effect.gen(function*() {
      const now: Omit<Work, "fiber"> = { last: "preparing", hear: () => {}, isUnderWay: false }
      const report = (message: string) => {
        now.last = message
        now.hear(message)
      }
      const fiber = yield* Effect.forkDetach(Effect.interruptible(start(report, () => void (now.isUnderWay = true))))
      return Object.assign(now, { fiber })
    })

  return {
    work: <A, E>(key: string, report: Say, start: (report: Say, underWay: () => void) => Effect.Effect<A, E>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const work = take(key) ?? (yield* begin(start))
          work.hear = report
          report(work.last)
          const ended = Fiber.await(work.fiber as Fiber.Fiber<A, E>)
          const exit = yield* restore(Effect.timeoutOption(ended, waitMs)).pipe(
            Effect.flatMap((done) =>
              Option.isNone(done) && work.isUnderWay ? restore(Effect.asSome(ended)) : Effect.succeed(done)
            ),
            Effect.onInterrupt(() => Fiber.interrupt(work.fiber))
          )
          if (Option.isSome(exit)) return Result.succeed(yield* exit.value)
          yield* leave(key, work)
          return Result.fail(work.last)
        })
      )
  }
}
