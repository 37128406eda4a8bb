import { Context, Effect, Layer, Scope } from "effect"
import { DaemonUnavailable, type PyroError } from "../contract/errors/errors.ts"
import { SeedImages } from "../disk/SeedImages.ts"
import { Environments } from "../environment/Environments.ts"
import { Kernel } from "../environment/Kernel.ts"
import { Dialler } from "../network/Dialler.ts"
import { SecretRegistry } from "../redaction/secrets.ts"
import { daemonFiles } from "../system/files/daemon-files.ts"
import { toHostError } from "../system/files/host-error.ts"
import { acquireLock } from "../system/files/lock.ts"
import { Paths } from "../system/files/Paths.ts"
import { checkSettings, setting } from "../system/settings/config.ts"
import { HostFacts } from "../vm/HostFacts.ts"
import { Pool } from "../vm/Pool.ts"
import { Vmm } from "../vm/Vmm.ts"
import type { LifecycleServices } from "../workspace/entry/context.ts"
import { EventLog } from "../workspace/entry/events.ts"
import { PortHolders } from "../workspace/entry/port-holders.ts"
import { Workspaces } from "../workspace/operations/Workspaces.ts"

/** `services` without the known secrets, for a process that redacts its own log by them. */
export const servicesBesideSecrets = Vmm.layerQemu.pipe(
  Layer.provideMerge(Layer.mergeAll(Environments.layer, SeedImages.layer)),
  Layer.provideMerge(Layer.mergeAll(Kernel.layer, HostFacts.layer, Dialler.layer)),
  Layer.provideMerge(Layer.mergeAll(EventLog.layer, Paths.layer, PortHolders.layer)),
  // First: each service reads its own variables when it needs them.
  Layer.provideMerge(Layer.effectDiscard(checkSettings))
)

/** The services of all work, in this process. */
export const services = Layer.provideMerge(servicesBesideSecrets, SecretRegistry.layer)

export type HostServices = Layer.Success<typeof services>

/** What the owner of the workspaces holds. */
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
): Effect.Effect<Owned, PyroError, Exclude<LifecycleServices, Pool>> =>
  Effect.gen(function*() {
    const { lock } = yield* daemonFiles
    const membersPerKind = yield* setting("PYRO_POOL_MEMBERS")
    yield* Scope.provide(acquireLock(lock, { timeoutMs: lockTimeoutMs }), scope).pipe(
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
