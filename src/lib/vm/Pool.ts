import { Clock, Context, Effect, Layer, Option, Scope, Stream, SubscriptionRef } from "effect"
import { availableMemoryBytes } from "../../system/processes/host.ts"
import { variables } from "../../system/settings/variables.ts"
import { countPoolRequest } from "../../system/telemetry/metrics.ts"
import { asStep } from "../../system/telemetry/spans.ts"
import type { RestoredGuest, RestoreRequest, VmmError } from "./model/guest.ts"
import { poolStep } from "./pool/filling.ts"
import { handOver } from "./pool/members.ts"
import { expecting, type PoolConfig, remembered } from "./pool/policy.ts"
import { closeMember, emptyPool, makeWaiting, pickFor, type Waiting, want } from "./pool/waiting.ts"
import { Vmm } from "./Vmm.ts"

export type { PoolConfig } from "./pool/policy.ts"

interface PoolStatus {
  /** Number of guests that wait. */
  readonly members: number
  /** Maximum guest memory that they use, in MiB. */
  readonly memoryMib: number
}

/**
 * Guests that were restored and warmed up ahead of a request, and wait paused. The pool is only an optimisation: if a member fails, a VM is
 * restored on the spot.
 */
export class Pool extends Context.Service<Pool, {
  /**
   * A spare guest of these images and sizes with the disk of the request, running but not yet claimed. None if none waits. The guest
   * belongs to the Scope, and outlives this process if it is left. The pool remembers the request, and makes members for the next similar
   * one in the background.
   */
  readonly take: (request: RestoreRequest) => Effect.Effect<Option.Option<RestoredGuest>, never, Scope.Scope>
  /** A spare guest, else one restored on the spot. If that does not fit, the members of the pool make room for it. */
  readonly acquire: (request: RestoreRequest) => Effect.Effect<RestoredGuest, VmmError, Scope.Scope>
  /**
   * A workspace is likely to ask soon for exactly the written disk of a request, in place of its last such disk: a guest with the disk mounted is
   * made in the background. None: no disk any more. No other workspace gets that guest.
   */
  readonly expect: (by: string, request: Option.Option<RestoreRequest>) => Effect.Effect<void>
  /** Retries work without the pool's members if there was no room for it. */
  readonly withRoom: <A, E extends { readonly _tag: string }, R>(
    attempt: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** Ends all members. The pool makes new ones after the next request. */
  readonly empty: Effect.Effect<void>
  readonly status: Effect.Effect<PoolStatus>
  /** Waits until the pool has no member to make or end. */
  readonly settled: Effect.Effect<void>
}>()("pyro/vm/Pool") {
  static readonly layer = (config: Partial<PoolConfig> = {}): Layer.Layer<Pool, never, Vmm> =>
    Layer.effect(Pool, Effect.suspend(() => make({ ...defaults(), ...config })))
}

const defaults = (): PoolConfig => ({
  membersPerKind: variables.PYRO_POOL_MEMBERS.default,
  memoryMib: Math.min(8192, Math.floor(availableMemoryBytes() / 4 / 1024 / 1024)),
  idleMs: 10 * 60_000,
  quietMs: 100,
  aheadMs: 1_000,
  retryMs: 60_000
})

const make = (config: PoolConfig) =>
  Effect.gen(function*() {
    const vmm = yield* Vmm
    const pool = yield* makeWaiting
    const { state } = pool
    const empty = emptyPool(pool)
    // Runs after the fiber below has ended, so that no member is made later.
    yield* Effect.addFinalizer(() => empty)
    yield* poolStep(vmm, pool, config).pipe(
      Effect.catchCause((cause) => Effect.andThen(Effect.logError(cause), Effect.sleep(config.retryMs))),
      Effect.forever,
      Effect.forkScoped
    )

    const withRoom = <A, E extends { readonly _tag: string }, R>(attempt: Effect.Effect<A, E, R>) =>
      Effect.catchIf(
        attempt,
        (failure) => failure._tag === "AdmissionRefused" || failure._tag === "NoSpace",
        (failure) =>
          Effect.flatMap(
            SubscriptionRef.get(state),
            ({ members }) => members.length === 0 ? Effect.fail(failure) : Effect.andThen(empty, attempt)
          )
      )

    const acquire = (request: RestoreRequest) =>
      Effect.flatMap(
        take(pool, config, request).pipe(
          asStep("pool"),
          Effect.tap((taken) => Effect.sync(() => countPoolRequest(Option.isSome(taken) ? "hit" : "miss")))
        ),
        Option.match({
          onSome: Effect.succeed,
          onNone: () => withRoom(vmm.restore(request))
        })
      )

    const expect: Pool["Service"]["expect"] = (by, request) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        want(pool, (demands) => expecting(demands, by, Option.getOrUndefined(request), config, nowMs)))

    return {
      take: (request: RestoreRequest) =>
        take(pool, config, request),
      acquire,
      expect,
      withRoom,
      empty,
      status: Effect.map(SubscriptionRef.get(state), ({ members }) => ({
        members: members.length,
        memoryMib: members.reduce((sum, { guest }) => sum + guest.vm.spec.memoryMib, 0)
      })),
      settled: SubscriptionRef.changes(state).pipe(
        Stream.filter(({ resting }) => resting),
        Stream.runHead,
        Effect.asVoid
      )
    }
  })

/** Hands a member over to a request, and remembers the request. */
const take = (pool: Waiting, config: PoolConfig, request: RestoreRequest) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const picked = request.seed.virtualBytes === request.placeholder.virtualBytes
        ? yield* pickFor(pool, request)
        : undefined
      const nowMs = yield* Clock.currentTimeMillis
      yield* want(pool, (demands) => remembered(demands, request, config, nowMs))
      if (picked === undefined) return Option.none()
      const { hasItsDisk, member } = picked
      return yield* restore(handOver(member.guest, request, hasItsDisk).pipe(asStep("hand over"))).pipe(
        Effect.tap(Effect.addFinalizer((exit) => Scope.close(member.scope, exit))),
        Effect.map(Option.some),
        Effect.onError(() => closeMember(member)),
        Effect.catch((failure) =>
          Effect.as(Effect.logWarning(`a member of the pool was not used: ${failure.message}`), Option.none())
        )
      )
    })
  )
