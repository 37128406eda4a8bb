import { Effect } from "effect"
import { type ChannelFailed, VmFailed } from "../../../contract/errors/errors.ts"
import type { Guest } from "../../../lib/vm/model/guest.ts"

/** Why the residents of a workspace ended: an operation ended their VM. */
export const endedBy = (operation: string) =>
  new VmFailed({ step: operation, detail: `the workspace's microVM was ended by a ${operation}`, consoleTail: "" })

/** Maximum time to wait for QEMU's own error, once the channel has ended. */
const accountTimeout = "500 millis"

/** A lost channel has a cause: if the VM's end is known, that end is the error. */
export const explainChannelFailure = (guest: Guest) => <A, E, R>(effect: Effect.Effect<A, E | ChannelFailed, R>) =>
  Effect.catchIf(
    effect,
    (failure): failure is ChannelFailed => (failure as { readonly _tag?: unknown })._tag === "ChannelFailed",
    (failure) =>
      guest.vm.health.failure.pipe(
        Effect.timeoutOrElse({ duration: accountTimeout, orElse: () => Effect.fail(failure) })
      )
  )
