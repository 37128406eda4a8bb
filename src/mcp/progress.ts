import { Effect } from "effect"
import { readableText } from "../contract/text/printable.ts"

/** How often a call says that it goes on: a host that hears nothing for a minute gives it up. */
const EVERY_SECONDS = 10

type Notify = (progress: { readonly progress: number; readonly message: string }) => Promise<void>

/** Tells how far a call is, every 10 s while it lasts, with the last that was said of it. */
export const withProgress = <A, E>(
  notify: Notify | undefined,
  work: (report: (message: string) => void) => Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  let last = "running"
  const report = (message: string) => {
    last = message
  }
  if (notify === undefined) return work(report)
  const tick = (seconds: number): Effect.Effect<never> =>
    Effect.sleep(EVERY_SECONDS * 1_000).pipe(
      // Nothing is in it that the result has not: the last of them may be lost, and nobody need be there to hear it.
      Effect.andThen(
        Effect.ignore(
          Effect.tryPromise(() => notify({ progress: seconds, message: readableText(`${last}, ${seconds} s`) }))
        )
      ),
      Effect.andThen(Effect.suspend(() => tick(seconds + EVERY_SECONDS)))
    )
  return Effect.raceFirst(work(report), tick(EVERY_SECONDS))
}
