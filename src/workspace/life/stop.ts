import { Effect, Option, Ref } from "effect"
import { type ChannelFailed, VmFailed } from "../../contract/errors/errors.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { type Lifecycle, showing } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import type { Transition } from "./description.ts"
import { demandMoving } from "./running.ts"
import { transit } from "./transition.ts"

/** Maximum time for the guest to write its memory to the disk before its end or capture. */
const syncTimeout = "30 seconds"

/** Has the guest write its memory to the disk. A slow guest or a refusal is ignored; a silent guest fails. */
export const flush = (channel: GuestChannel): Effect.Effect<void, ChannelFailed> =>
  channel.call.sync({ dropCaches: 0 }).pipe(
    Effect.interruptible,
    Effect.timeout(syncTimeout),
    Effect.catch((failure) =>
      failure._tag === "ChannelFailed" && failure.reason === "silent" ? Effect.fail(failure) : Effect.logDebug(failure)
    )
  )

/** Why the residents of a workspace ended: an operation ended their VM. */
export const endedBy = (operation: string) =>
  new VmFailed({ step: operation, detail: `the workspace's microVM was ended by a ${operation}`, consoleTail: "" })

/** The end of the VM; the disk is kept. */
const stopping = (entry: Entry): Transition => ({
  name: "stop",
  entry,
  handOver: ({ old }) =>
    Option.match(old, {
      onNone: () => Effect.void,
      onSome: ({ channel }) =>
        Effect.catch(channel.unlessSilent(flush(channel)), ({ detail }) =>
          Effect.logWarning(`${entry.id} is stopped with unwritten files in its guest's memory: ${detail}`))
    }),
  change: ({ vm: _, ...record }) => ({ ...record, phase: "stopped" }),
  lose: endedBy("stop"),
  event: { _tag: "stopped" },
  leaves: "stopped"
})

/** Stops a workspace, also one that has failed. False for a stopped one, which stays unchanged. Its caller has the workspace alone. */
export const stop = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    if ((yield* Ref.get(entry.state)).state === "stopped") return false
    // A guest that a full host disk has paused keeps its memory, and writes it when the disk has room.
    const running = yield* Ref.get(entry.generation)
    if (Option.isSome(running)) yield* demandMoving(entry, running.value)
    yield* showing(entry, "stopping")(transit(lifecycle, stopping(entry)))
    return true
  })
