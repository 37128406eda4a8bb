import { Context, Effect, Layer, Scope } from "effect"
import { DaemonUnavailable } from "../../contract/errors/errors.ts"
import { call } from "../../contract/errors/next-step.ts"
import { Pool } from "../../lib/vm/Pool.ts"
import { toHostError } from "../../system/files/failure.ts"
import { acquireLock } from "../../system/files/lock.ts"
import { daemonFiles } from "../../system/files/Paths.ts"
import { setting } from "../../system/settings/config.ts"
import type { HouseFailure, HouseServices } from "../../workspace/operations/work.ts"
import { Workspaces } from "../../workspace/operations/Workspaces.ts"

/** Services that the owner of the workspaces has. */
export interface Owned {
  readonly workspaces: Workspaces["Service"]
  readonly pool: Pool["Service"]
}

/** A sweep holds the lock for a moment. It may run between a killed daemon and the next one. */
const lockTimeoutMs = 2_000

/**
 * The workspaces and their pool, from the first request until `scope` closes. One process at a time can own them: the kernel releases
 * the lock when the owner dies.
 */
export const ownWorkspaces = (
  scope: Scope.Scope
): Effect.Effect<Owned, HouseFailure, Exclude<HouseServices, Pool>> =>
  Effect.gen(function*() {
    const { lock } = yield* daemonFiles
    const membersPerKind = yield* setting("PYRO_POOL_MEMBERS")
    yield* Scope.provide(acquireLock(lock, { timeoutMs: lockTimeoutMs }), scope).pipe(
      Effect.catchTags({
        FileFailed: (failure) => Effect.fail(toHostError(failure)),
        LockTimeout: () =>
          new DaemonUnavailable({
            detail: "another process owns them",
            next: [call("Use that process through the SDK's client, or stop it", "daemon.stop")]
          })
      })
    )
    const layer = Layer.provideMerge(Workspaces.layer, Pool.layer({ membersPerKind }))
    const context = yield* Layer.buildWithScope(layer, scope)
    return { workspaces: Context.get(context, Workspaces), pool: Context.get(context, Pool) }
  })
