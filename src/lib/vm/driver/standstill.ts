import { Effect, Stream } from "effect"
import type { VmHealth } from "../model/Vm.ts"

/** Waits for a guest that a full disk has paused. `onStill` runs if it is paused. */
export const untilResumed = ({ failure, trouble, troubles }: VmHealth, onStill: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    if ((yield* trouble) !== "no-space") return
    yield* onStill
    yield* Stream.runHead(Stream.filter(troubles, (now) => now !== "no-space")).pipe(Effect.raceFirst(failure))
  })
