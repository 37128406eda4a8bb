import { Context, Effect, Layer, Scope } from "effect"
import { DaemonUnavailable, type PyroError } from "../contract/errors/errors.ts"
import { daemonFiles } from "../system/files/daemon-files.ts"
import { toHostError } from "../system/files/host-error.ts"
import { acquireLock } from "../system/files/lock.ts"
import { setting } from "../system/settings/config.ts"
import { Pool } from "../vm/Pool.ts"
import type { LifecycleServices } from "../workspace/entry/context.ts"
import { Workspaces } from "../workspace/operations/Workspaces.ts"

/** What the process that has the workspaces holds. */
export interface Taken {
  readonly workspaces: Workspaces["Service"]
  readonly pool: Pool["Service"]
}

/** A sweep holds the lock for a moment too, and runs just when a daemon was killed and the next one starts. */
const takeTimeoutMs = 2_000

/**
 * The workspaces, taken up when they are first asked for and held until `scope` closes, with the pool that they are made from. One
 * process at a time can have them: the kernel lets go of the lock when that one dies.
 */
export const takeWorkspaces = (
  scope: Scope.Scope
): Effect.Effect<Taken, PyroError, Exclude<LifecycleServices, Pool>> =>
  Effect.gen(function*() {
    const { lock } = yield* daemonFiles
    const membersPerKind = yield* setting("PYRO_POOL_MEMBERS")
    yield* Scope.provide(acquireLock(lock, { timeoutMs: takeTimeoutMs }), scope).pipe(
      Effect.catchTags({
        FileFailed: (failure) => Effect.fail(toHostError(failure)),
        LockTimeout: () =>
          new DaemonUnavailable({
            detail: "another process owns them. Use that process through the SDK's client, or stop it: pyro daemon stop"
          })
      })
    )
    const layer = Layer.provideMerge(Workspaces.layer, Pool.layer({ membersPerKind }))
    const context = yield* Layer.buildWithScope(layer, scope)
    return { workspaces: Context.get(context, Workspaces), pool: Context.get(context, Pool) }
  })
