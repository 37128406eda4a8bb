import { Effect, Option, Ref } from "effect"
import {
  type NoSpace,
  type PyroError,
  type StateDirectoryUnusable,
  WorkspaceNotReady
} from "../../contract/errors/errors.ts"
import type { SyncPushPayload } from "../../contract/rows/workspace-sync.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { syncPush } from "../../seeding/push.ts"
import { displayName } from "../entry/display-name.ts"
import type { Entry } from "../entry/entry.ts"
import type { Generation } from "../entry/generation.ts"
import { refused, workspaceTrees } from "../life/baseline.ts"

/** The two trees of a diff by name: the guest's work tree and its baseline. */
const { baseline, live } = workspaceTrees

interface Used {
  readonly entry: Entry
  readonly generation: Generation
}

const mountBaseline = (channel: GuestChannel) =>
  Effect.mapError(
    channel.call.baseline({ device: workspaceTrees.device }),
    (failure) => failure._tag === "AgentCallFailed" ? refused("/workspace")(failure) : failure
  )

/** Pushes host files into a running VM and its baseline. */
export const pushInto = ({ entry, generation }: Used, payload: SyncPushPayload) =>
  Effect.gen(function*() {
    const { channel } = generation
    const folder = entry.folder.directory
    const { seedPath } = yield* Ref.get(entry.record)
    const called = yield* displayName(entry)
    yield* mountBaseline(channel)
    /** A reset replays the pushes that were recorded before it took this VM out. No later push to this VM may be recorded. */
    const whileCurrent = (record: Effect.Effect<void, StateDirectoryUnusable | NoSpace>) =>
      Effect.flatMap(Ref.get(entry.generation), (now): Effect.Effect<void, PyroError> =>
        Option.isSome(now) && now.value === generation
          ? record
          : new WorkspaceNotReady({
            workspace: called,
            state: "resetting",
            detail: "nothing was pushed; push again"
          })).pipe(entry.pushed.withPermits(1))
    return yield* syncPush(channel, payload, { folder, seedPath, live, baseline, whileCurrent })
  })
