import { Deferred, Effect, type Scope, SubscriptionRef } from "effect"
import { GuestPanicked, VmFailed } from "../../../../contract/errors/errors.ts"
import type { VmHealth, VmTrouble } from "../../model/Vm.ts"
import { panicIn } from "../console-text.ts"
import type { VmmProcess } from "../vmm-process.ts"
import type { Api } from "./api.ts"

/** Maximum time between the end of Firecracker's API and the report of its own end. */
const endReported = "2 seconds"

/**
 * Turns the end of Firecracker into the end of its VM, with the end of the console. A guest that panics, resets or powers off ends its
 * Firecracker.
 */
export const watchHealth = (options: {
  readonly firecracker: VmmProcess
  readonly api: Api
  readonly consoleTail: Effect.Effect<string>
  readonly trouble: SubscriptionRef.SubscriptionRef<VmTrouble>
}): Effect.Effect<VmHealth, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { api, consoleTail, firecracker, trouble } = options
    const broken = yield* Deferred.make<never, VmFailed | GuestPanicked>()
    const lost = (detail: string) =>
      Effect.flatMap(consoleTail, (tail) => {
        const panic = panicIn(tail)
        return Deferred.fail(
          broken,
          panic === undefined
            ? new VmFailed({ step: "run", detail, consoleTail: tail })
            : new GuestPanicked({ detail: panic, consoleTail: tail })
        )
      })
    yield* firecracker.ended.pipe(
      Effect.flatMap((how) => lost(`the guest stopped, or Firecracker ended: ${how}`)),
      Effect.forkScoped
    )
    yield* api.closed.pipe(
      Effect.andThen(Effect.sleep(endReported)),
      Effect.andThen(lost("Firecracker's API does not answer any more")),
      Effect.forkScoped
    )
    return {
      failure: Deferred.await(broken),
      trouble: SubscriptionRef.get(trouble),
      troubles: SubscriptionRef.changes(trouble),
      consoleTail
    }
  })
