import { Effect, Exit, Option, Ref, Scope } from "effect"
import type { Lifecycle } from "../entry/context.ts"

/** Releases the running VMs, for the next process to attach to. */
export const leaveAll = (lifecycle: Lifecycle) =>
  Effect.forEach([...lifecycle.registry.entries.values()], (entry) =>
    Effect.gen(function*() {
      const generation = yield* Ref.get(entry.generation)
      if (Option.isNone(generation)) return
      yield* Ref.set(entry.generation, Option.none())
      yield* Effect.catch(
        generation.value.guest.vm.leave,
        (failure) => Effect.logWarning(`${entry.id} is left without a word of it: ${failure.fact}`)
      )
      yield* Scope.close(generation.value.scope, Exit.void)
    }), { discard: true })
