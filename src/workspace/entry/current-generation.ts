import { type Effect, Option, Ref, type Scope } from "effect"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import type { Guest } from "../../lib/vm/model/guest.ts"
import { type Readable, readableOf } from "./readable.ts"

/** One incarnation of a workspace's VM: running, with its disk mounted, used by no other workspace. */
export interface Generation {
  readonly guest: Guest
  readonly channel: GuestChannel
  /** When it closes, first all work in the VM ends, and then the VM. */
  readonly scope: Scope.Closeable
}

/** The generation that requests start work in. */
export interface CurrentGeneration extends Readable<Option.Option<Generation>> {
  readonly install: (generation: Generation) => Effect.Effect<void>
  /** Detaches the current generation from the workspace, so that no request starts work in it any more. */
  readonly detach: Effect.Effect<Option.Option<Generation>>
  /** Detaches a generation if it is the current one. False otherwise. */
  readonly detachIf: (generation: Generation) => Effect.Effect<boolean>
}

export const noGeneration = (): CurrentGeneration => {
  const current = Ref.makeUnsafe(Option.none<Generation>())
  return {
    ...readableOf(current),
    install: (generation) => Ref.set(current, Option.some(generation)),
    detach: Ref.getAndSet(current, Option.none()),
    detachIf: (generation) =>
      Ref.modify(current, (now) => {
        const isCurrent = Option.isSome(now) && now.value === generation
        return [isCurrent, isCurrent ? Option.none() : now]
      })
  }
}
