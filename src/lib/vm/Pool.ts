import { Clock, Context, Effect, Exit, Layer, Option, Queue, Scope, Stream, SubscriptionRef } from "effect"
import { availableMemoryBytes } from "../../system/processes/host.ts"
import { variables } from "../../system/settings/variables.ts"
import { countPoolRequest, setPoolMembers } from "../../system/telemetry/metrics.ts"
import { asStep } from "../../system/telemetry/spans.ts"
import { isEmptyOver } from "../disk/workspace-disk.ts"
import type { RestoredGuest, RestoreRequest, VmmError } from "./model/guest.ts"
import { handOver, kindOf, makeExpected, makeMember } from "./pool/members.ts"
import {
  changed,
  type Demands,
  expectedFor,
  expecting,
  nextStep,
  type PoolConfig,
  remembered,
  type Wanted
} from "./pool/policy.ts"
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

interface Member {
  readonly kind: string
  readonly guest: RestoredGuest
  readonly scope: Scope.Closeable
}

interface State {
  readonly wanted: Demands
  readonly members: ReadonlyArray<Member>
  /** No step is running or due soon. */
  readonly resting: boolean
}

const make = (config: PoolConfig) =>
  Effect.gen(function*() {
    const vmm = yield* Vmm
    const state = yield* SubscriptionRef.make<State>({ wanted: new Map(), members: [], resting: true })
    const wake = yield* Queue.sliding<void>(1)

    const close = ({ scope }: Member) => Effect.ignoreCause(Scope.close(scope, Exit.void))

    /** Removes the oldest member of a kind from the pool, for one caller. */
    const pick = (kind: string) =>
      SubscriptionRef.modify(state, (now) => {
        const found = now.members.find((member) => member.kind === kind)
        return [found, found === undefined ? now : { ...now, members: now.members.filter((one) => one !== found) }]
      })

    /**
     * A member with the disk mounted, if nothing was written to the disk or the disk was expected; else one without a disk, and at last one with
     * another disk of the host.
     */
    const pickFor = (request: RestoreRequest) =>
      Effect.gen(function*() {
        const { wanted } = yield* SubscriptionRef.get(state)
        const expected = expectedFor(wanted, request)
        const ready = expected === undefined ? undefined : yield* pick(expected)
        if (ready !== undefined) return { member: ready, hasItsDisk: true }
        const images = [...wanted.values()].flatMap(({ mounted }) => mounted ?? [])
        const own = images.find((image) => isEmptyOver(request, image))
        for (const image of own === undefined ? [undefined, ...images] : [own, undefined, ...images]) {
          const member = yield* pick(kindOf(request, image))
          if (member !== undefined) return { member, hasItsDisk: image !== undefined && image === own }
        }
        return undefined
      })

    const want = (change: (wanted: Demands) => Demands) =>
      SubscriptionRef.update(state, (now) => ({ ...now, wanted: change(now.wanted), resting: false })).pipe(
        Effect.andThen(Queue.offer(wake, undefined))
      )

    const dropDead = (member: Member) =>
      SubscriptionRef.modify(state, (now) => [
        now.members.includes(member),
        { ...now, members: now.members.filter((one) => one !== member) }
      ]).pipe(
        // In its own fiber: this fiber ends with the member.
        Effect.flatMap((ours) => ours ? Effect.forkDetach(close(member)) : Effect.void),
        Effect.andThen(Queue.offer(wake, undefined))
      )

    const fill = (kind: string, { expectedBy, mounted, request }: Wanted) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const made = expectedBy === undefined ? makeMember(vmm, request, mounted) : makeExpected(vmm, request)
          const guest = yield* restore(Scope.provide(made, scope)).pipe(
            Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
          )
          const member: Member = { kind, guest, scope }
          const isWanted = yield* SubscriptionRef.modify(
            state,
            (now) => now.wanted.has(kind) ? [true, { ...now, members: [...now.members, member] }] : [false, now]
          )
          // The pool was emptied in the meantime.
          if (!isWanted) return yield* close(member)
          yield* guest.vm.health.failure.pipe(
            Effect.catch(() => dropDead(member)),
            Effect.forkIn(scope)
          )
        })
      )

    const giveUp = (kind: string) => (failure: { readonly message: string }) =>
      Effect.gen(function*() {
        yield* Effect.logDebug(`no member for the pool: ${failure.message}`)
        const now = yield* Clock.currentTimeMillis
        const later = (wanted: Wanted | undefined) =>
          wanted && { ...wanted, notBeforeMs: Math.max(wanted.notBeforeMs, now + config.retryMs) }
        yield* want((demands) => changed(demands, kind, later))
      })

    const step = Effect.gen(function*() {
      const { members, wanted } = yield* SubscriptionRef.get(state)
      setPoolMembers(members.length)
      const now = yield* Clock.currentTimeMillis
      const next = nextStep({ demands: wanted, members: members.map(({ kind }) => kind) }, config, now)
      switch (next._tag) {
        case "fill":
          return yield* Effect.catch(fill(next.kind, wanted.get(next.kind)!), giveUp(next.kind))
        case "end":
          return yield* Effect.flatMap(pick(next.kind), (member) => member === undefined ? Effect.void : close(member))
        case "forget":
          return yield* want((demands) => changed(demands, next.kind, () => undefined))
        case "rest": {
          const soonMs = now + Math.max(config.quietMs, config.aheadMs)
          const quiet = [...wanted.values()].some(({ notBeforeMs }) => notBeforeMs > now && notBeforeMs <= soonMs)
          if (!quiet) {
            yield* SubscriptionRef.update(state, (current) =>
              current.wanted === wanted ? { ...current, resting: true } : current)
          }
          return yield* Effect.raceFirst(
            Queue.take(wake),
            Number.isFinite(next.untilMs) ? Effect.sleep(Math.max(1, next.untilMs - now)) : Effect.never
          )
        }
      }
    })

    const empty = SubscriptionRef.modify(state, (now) => [now.members, { ...now, members: [], wanted: new Map() }])
      .pipe(
        Effect.flatMap((members) =>
          Effect.forEach(members, close, { concurrency: 4, discard: true })
        ),
        Effect.tap(() => Queue.offer(wake, undefined))
      )

    // Runs after the fiber below has ended, so that no member is made later.
    yield* Effect.addFinalizer(() => empty)
    yield* step.pipe(
      Effect.catchCause((cause) => Effect.andThen(Effect.logError(cause), Effect.sleep(config.retryMs))),
      Effect.forever,
      Effect.forkScoped
    )

    const take = (request: RestoreRequest) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const picked = request.seed.virtualBytes === request.placeholder.virtualBytes
            ? yield* pickFor(request)
            : undefined
          const nowMs = yield* Clock.currentTimeMillis
          yield* want((demands) => remembered(demands, request, config, nowMs))
          if (picked === undefined) return Option.none()
          const { hasItsDisk, member } = picked
          return yield* restore(handOver(member.guest, request, hasItsDisk).pipe(asStep("hand over"))).pipe(
            Effect.tap(Effect.addFinalizer((exit) => Scope.close(member.scope, exit))),
            Effect.map(Option.some),
            Effect.onError(() => close(member)),
            Effect.catch((failure) =>
              Effect.as(Effect.logWarning(`a member of the pool was not used: ${failure.message}`), Option.none())
            )
          )
        })
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
        take(request).pipe(
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
        want((demands) => expecting(demands, by, Option.getOrUndefined(request), config, nowMs)))

    return {
      take,
      acquire,
      expect,
      withRoom,
      empty,
      status: Effect.map(SubscriptionRef.get(state), ({ members }) => ({
        members: members.length,
        memoryMib: members.reduce((sum, { guest }) =>
          sum + guest.vm.spec.memoryMib, 0)
      })),
      settled: SubscriptionRef.changes(state).pipe(
        Stream.filter(({ resting }) => resting),
        Stream.runHead,
        Effect.asVoid
      )
    }
  })
