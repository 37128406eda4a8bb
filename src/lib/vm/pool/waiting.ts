import { Effect, Exit, Queue, Scope, SubscriptionRef } from "effect"
import { isEmptyOver } from "../../disk/workspace-disk.ts"
import type { RestoredGuest, RestoreRequest } from "../model/guest.ts"
import { kindOf } from "./members.ts"
import { type Demands, expectedFor } from "./policy.ts"

/** A guest that waits. */
export interface Member {
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

/** The members of a pool, and what is wanted of it. */
export interface Waiting {
  readonly state: SubscriptionRef.SubscriptionRef<State>
  /** An entry begins the next step. */
  readonly wake: Queue.Queue<void>
}

export const makeWaiting: Effect.Effect<Waiting> = Effect.all({
  state: SubscriptionRef.make<State>({ wanted: new Map(), members: [], resting: true }),
  wake: Queue.sliding<void>(1)
})

export const closeMember = ({ scope }: Member) => Effect.ignoreCause(Scope.close(scope, Exit.void))

/** Removes the oldest member of a kind from the pool, for one caller. */
export const pick = ({ state }: Waiting, kind: string) =>
  SubscriptionRef.modify(state, (now) => {
    const found = now.members.find((member) => member.kind === kind)
    return [found, found === undefined ? now : { ...now, members: now.members.filter((one) => one !== found) }]
  })

/**
 * A member with the disk mounted, if nothing was written to the disk or the disk was expected; else one without a disk, and at last one with
 * another disk of the host.
 */
export const pickFor = (pool: Waiting, request: RestoreRequest) =>
  Effect.gen(function*() {
    const { wanted } = yield* SubscriptionRef.get(pool.state)
    const expected = expectedFor(wanted, request)
    const ready = expected === undefined ? undefined : yield* pick(pool, expected)
    if (ready !== undefined) return { member: ready, hasItsDisk: true }
    const images = [...wanted.values()].flatMap(({ mounted }) => mounted ?? [])
    const own = images.find((image) => isEmptyOver(request, image))
    for (const image of own === undefined ? [undefined, ...images] : [own, undefined, ...images]) {
      const member = yield* pick(pool, kindOf(request, image))
      if (member !== undefined) return { member, hasItsDisk: image !== undefined && image === own }
    }
    return undefined
  })

/** Changes what is wanted. */
export const want = ({ state, wake }: Waiting, change: (wanted: Demands) => Demands) =>
  SubscriptionRef.update(state, (now) => ({ ...now, wanted: change(now.wanted), resting: false })).pipe(
    Effect.andThen(Queue.offer(wake, undefined))
  )

/** Adds a member, unless the pool was emptied in the meantime. */
export const add = ({ state }: Waiting, member: Member) =>
  SubscriptionRef.modify(
    state,
    (now) => now.wanted.has(member.kind) ? [true, { ...now, members: [...now.members, member] }] : [false, now]
  )

/** Removes a member that has ended. */
export const dropDead = ({ state, wake }: Waiting, member: Member) =>
  SubscriptionRef.modify(state, (now) => [
    now.members.includes(member),
    { ...now, members: now.members.filter((one) => one !== member) }
  ]).pipe(
    // In its own fiber: this fiber ends with the member.
    Effect.flatMap((ours) => ours ? Effect.forkDetach(closeMember(member)) : Effect.void),
    Effect.andThen(Queue.offer(wake, undefined))
  )

/** Ends all members, and forgets what is wanted. */
export const emptyPool = ({ state, wake }: Waiting) =>
  SubscriptionRef.modify(state, (now) => [now.members, { ...now, members: [], wanted: new Map() }]).pipe(
    Effect.flatMap((members) => Effect.forEach(members, closeMember, { concurrency: 4, discard: true })),
    Effect.tap(() => Queue.offer(wake, undefined))
  )
