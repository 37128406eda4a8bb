import { Clock, Effect, Exit, Queue, Scope, SubscriptionRef } from "effect"
import { setPoolMembers } from "../../../system/telemetry/metrics.ts"
import type { VmmService } from "../model/guest.ts"
import { makeExpected, makeMember } from "./members.ts"
import { changed, type Demands, nextStep, type PoolConfig, type Wanted } from "./policy.ts"
import { add, closeMember, dropDead, type Member, pick, type Waiting, want } from "./waiting.ts"

/** Makes a member of a kind. */
const fill = (vmm: VmmService, pool: Waiting, kind: string, { expectedBy, mounted, request }: Wanted) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const made = expectedBy === undefined ? makeMember(vmm, request, mounted) : makeExpected(vmm, request)
      const guest = yield* restore(Scope.provide(made, scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      const member: Member = { kind, guest, scope }
      if (!(yield* add(pool, member))) return yield* closeMember(member)
      yield* guest.vm.health.failure.pipe(
        Effect.catch(() => dropDead(pool, member)),
        Effect.forkIn(scope)
      )
    })
  )

/** Tries a kind again later. */
const giveUp = (pool: Waiting, { retryMs }: PoolConfig, kind: string) => (failure: { readonly message: string }) =>
  Effect.gen(function*() {
    yield* Effect.logDebug(`no member for the pool: ${failure.message}`)
    const now = yield* Clock.currentTimeMillis
    const later = (wanted: Wanted | undefined) =>
      wanted && { ...wanted, notBeforeMs: Math.max(wanted.notBeforeMs, now + retryMs) }
    yield* want(pool, (demands) => changed(demands, kind, later))
  })

/** Rests until a time or the next entry, if this is still all that is wanted. */
const rest = (
  { state, wake }: Waiting,
  config: PoolConfig,
  wanted: Demands,
  { now, untilMs }: { readonly now: number; readonly untilMs: number }
) =>
  Effect.gen(function*() {
    const soonMs = now + Math.max(config.quietMs, config.aheadMs)
    const quiet = [...wanted.values()].some(({ notBeforeMs }) => notBeforeMs > now && notBeforeMs <= soonMs)
    if (!quiet) {
      yield* SubscriptionRef.update(state, (current) =>
        current.wanted === wanted ? { ...current, resting: true } : current)
    }
    return yield* Effect.raceFirst(
      Queue.take(wake),
      Number.isFinite(untilMs) ? Effect.sleep(Math.max(1, untilMs - now)) : Effect.never
    )
  })

/** One step of the pool: makes or ends a member, or rests. */
export const poolStep = (vmm: VmmService, pool: Waiting, config: PoolConfig) =>
  Effect.gen(function*() {
    const { members, wanted } = yield* SubscriptionRef.get(pool.state)
    setPoolMembers(members.length)
    const now = yield* Clock.currentTimeMillis
    const next = nextStep({ demands: wanted, members: members.map(({ kind }) => kind) }, config, now)
    switch (next._tag) {
      case "fill":
        return yield* Effect.catch(
          fill(vmm, pool, next.kind, wanted.get(next.kind)!),
          giveUp(pool, config, next.kind)
        )
      case "end":
        return yield* Effect.flatMap(
          pick(pool, next.kind),
          (member) => member === undefined ? Effect.void : closeMember(member)
        )
      case "forget":
        return yield* want(pool, (demands) => changed(demands, next.kind, () => undefined))
      case "rest":
        return yield* rest(pool, config, wanted, { now, untilMs: next.untilMs })
    }
  })
