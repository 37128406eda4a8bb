import { Effect, Exit, Scope } from "effect"

/**
 * Delay of the release of an operation that has ended at once, in ms. A caller that runs one command after the other would wait for the
 * release with its answer; a moment later the guest works on the next request, and this process is idle.
 */
const RELEASE_MS = 2

/** What an operation of a client has acquired. */
export interface Acquired {
  readonly scope: Scope.Scope
  /** The operation has ended by itself. Its release may come after its answer. */
  hasEnded: boolean
}

/** Gives an operation a Scope of its own, which closes with the caller's Scope, or soon after. */
export const makeReleases = Effect.map(Effect.scope, (parent) => {
  /** One fiber releases all operations that have ended meanwhile: a fiber for each costs as much as a short command. */
  let ended: Array<Scope.Closeable> = []
  const closeAll = Effect.suspend(() => {
    const closing = ended
    ended = []
    return Effect.forEach(closing, (scope) => Effect.forkIn(Scope.close(scope, Exit.void), parent), { discard: true })
  })
  const closeSoon = (scope: Scope.Closeable) =>
    Effect.suspend(() =>
      ended.push(scope) > 1 ? Effect.void : Effect.asVoid(Effect.forkIn(Effect.delay(closeAll, RELEASE_MS), parent))
    )
  return Effect.uninterruptible(Effect.gen(function*() {
    const scope = yield* Scope.fork(parent)
    const acquired: Acquired = { scope, hasEnded: false }
    yield* Scope.addFinalizerExit(
      yield* Effect.scope,
      (exit) => acquired.hasEnded ? closeSoon(scope) : Scope.close(scope, exit)
    )
    return acquired
  }))
})
export type Releases = Effect.Success<typeof makeReleases>
