import { Effect, Fiber, Option, type Scope } from "effect"
import {
  type ChannelFailed,
  type CommandNotExecutable,
  type CommandNotFound,
  type CommandNotStarted,
  DiskDamaged,
  VmFailed
} from "../../../contract/errors/errors.ts"
import { hasGrown, isEmptyDisk } from "../../../lib/disk/workspace-disk.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import type { GuestProcess, SpawnRequest } from "../../../lib/guest-channel/model/process.ts"
import { settleClock } from "../../../lib/vm/model/clock.ts"
import { type GuestSteps, newGuestIdentity } from "../../../lib/vm/model/guest-steps.ts"
import type { Guest, RestoreRequest, VmmError } from "../../../lib/vm/model/guest.ts"
import { Pool } from "../../../lib/vm/Pool.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { monotonicMs } from "../../../system/waits/time.ts"
import { explainChannelFailure } from "../engine/ended.ts"

export interface WorkspaceRequest extends Omit<RestoreRequest, "leaveUnmounted"> {
  readonly hostname: string
  /** Called when the guest starts a claim, which takes a while: the host is free until then. */
  readonly onClaim?: (() => void) | undefined
}

/** Why the first process of a guest does not start. */
export type SpawnFailed = CommandNotFound | CommandNotExecutable | CommandNotStarted
export type StartError = VmmError | DiskDamaged

/** A guest with its own disk, which has run nothing yet. */
export interface FreshWorkspace {
  readonly guest: Guest
  /**
   * Makes the guest unique, mounts its disk and starts a process, in one round trip. Call once. After a failure the guest has
   * started no process and must not be used.
   */
  readonly claim: (first: SpawnRequest) => Effect.Effect<GuestProcess, StartError | SpawnFailed, Scope.Scope>
  /** The same without a process. */
  readonly ready: Effect.Effect<void, StartError>
  /**
   * `ready`, with calls that are sent right behind the claim. Gives their end. The guest does them before all later requests, so the host
   * may continue. The guest also does them if the claim fails.
   */
  readonly readyWith: <E>(
    calls: Effect.Effect<void, E | ChannelFailed>
  ) => Effect.Effect<Effect.Effect<void, E | StartError>, StartError, Scope.Scope>
  /** Mounts the disk only, for a guest that reads it. Call in place of the claim. */
  readonly inspect: Effect.Effect<void, StartError>
}

/**
 * Acquires the parts of a workspace. Only this function knows them: memory, disks and QEMU (one VM, from the pool or from its template),
 * then the channel, then the claim.
 */
export const acquireWorkspace = (
  request: WorkspaceRequest
): Effect.Effect<FreshWorkspace, VmmError, Scope.Scope | Vmm> =>
  Effect.gen(function*() {
    const pool = yield* Effect.serviceOption(Pool)
    const isEmpty = isEmptyDisk(request)
    const restore = Effect.flatMap(Vmm, (vmm) => vmm.restore(request))
    const acquire = Option.isNone(pool)
      ? restore
      : request.result !== undefined
      // No member has a disk for a result.
      ? pool.value.withRoom(restore)
      : pool.value.acquire(request)
    const guest = yield* acquire.pipe(asStep("microVM"))
    const identity = newGuestIdentity(request.hostname)
    const disk = { isEmpty, grows: hasGrown(request), isMounted: guest.isMounted }
    const claim = () => {
      request.onClaim?.()
      return guest.vm.steps.claim(identity, disk)
    }
    const inspection = () => guest.vm.steps.inspection(identity, disk)
    const settled = <A, E, R>(
      steps: () => ReturnType<GuestSteps["claim"]>,
      send: (steps: ReturnType<GuestSteps["claim"]>) => Effect.Effect<A, AgentCallFailed | E, R>
    ) =>
      Effect.flatMap(monotonicMs, (sentAtMs) =>
        // The chain contains the time, which is outdated on arrival on a slow host.
        Effect.tap(send(steps()), settleClock(guest.channel, sentAtMs))).pipe(
          Effect.catchTag("AgentCallFailed", (failure) => claimFailure(failure as AgentCallFailed, isEmpty)),
          Effect.raceFirst(guest.vm.health.failure),
          explainChannelFailure(guest),
          asStep("claim")
        )
    return {
      guest,
      claim: (first: SpawnRequest) => settled(claim, (steps) => guest.channel.spawnAfter(steps, first)),
      ready: Effect.asVoid(settled(claim, (steps) => guest.channel.chain(steps))),
      readyWith: (calls) => {
        const along = Effect.forkScoped(calls, { startImmediately: true })
        // The order counts: each fiber sends before the next one starts.
        const send = (steps: ReturnType<GuestSteps["claim"]>) =>
          Effect.all([guest.channel.chain(steps), along], { concurrency: 2 })
        return Effect.map(settled(claim, send), ([, fiber]) => explainChannelFailure(guest)(Fiber.join(fiber)))
      },
      inspect: Effect.asVoid(settled(inspection, (steps) => guest.channel.chain(steps)))
    }
  })

/** Why a guest could not be claimed. The same mounts succeed on a disk that was never written. */
const claimFailure = (failure: AgentCallFailed, isEmpty: boolean): Effect.Effect<never, DiskDamaged | VmFailed> =>
  failure.operation === "mount" && !isEmpty
    ? new DiskDamaged({ detail: failure.message })
    : new VmFailed({
      step: "claim",
      detail: `${failure.message}; the VM was thrown away before anything ran in it`,
      consoleTail: ""
    })
