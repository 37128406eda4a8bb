import { Effect, Stream } from "effect"
import type { GuestPanicked, VmFailed } from "../contract/errors/errors.ts"

/** What keeps a VM from running for now. `no-space`: the host's disk is full; it goes on when there is room. */
export type VmTrouble = "none" | "no-space" | "io-error"

export interface VmHealth {
  /** Never succeeds; fails as soon as the VM cannot go on: race whatever waits for the guest against it. */
  readonly failure: Effect.Effect<never, VmFailed | GuestPanicked>
  readonly trouble: Effect.Effect<VmTrouble>
  /** `trouble` as it is, then each change. */
  readonly troubles: Stream.Stream<VmTrouble>
  /** End of what the guest's kernel and agent wrote to the console, escaped: a terminal shows it as text. */
  readonly consoleTail: Effect.Effect<string>
}

/** Waits for a guest that a full disk has stopped; `onStill` is done when it has. */
export const untilItGoesOn = ({ failure, trouble, troubles }: VmHealth, onStill: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    if ((yield* trouble) !== "no-space") return
    yield* onStill
    yield* Stream.runHead(Stream.filter(troubles, (now) => now !== "no-space")).pipe(Effect.raceFirst(failure))
  })
