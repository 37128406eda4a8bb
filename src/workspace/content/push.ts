import { Effect, Option } from "effect"
import { type NoSpace, type StateDirectoryUnusable, WorkspaceNotReady } from "../../contract/errors/errors.ts"
import { words } from "../../contract/errors/next-step.ts"
import type { SyncPushPayload } from "../../contract/rows/workspace-sync.ts"
import { syncPush } from "../../lib/seeding/push.ts"
import type { Generation } from "../entry/current-generation.ts"
import { displayName, type Entry } from "../entry/entry.ts"
import { refused, workspaceTrees } from "../life/guest/baseline.ts"

interface Used {
  readonly entry: Entry
  readonly generation: Generation
}

/** Pushes host files into a running VM and its baseline. */
export const pushInto = ({ entry, generation }: Used, payload: SyncPushPayload) =>
  Effect.gen(function*() {
    const { channel } = generation
    const folder = entry.folder.directory
    const { seedPath } = yield* entry.record.now
    const called = yield* displayName(entry)
    const { baseline, device, live } = workspaceTrees
    yield* Effect.catchTag(
      channel.call.baseline({ device }),
      "AgentCallFailed",
      (failure) => Effect.fail(refused("/workspace")(failure))
    )
    /** A reset replays the recorded pushes into a new VM. A later push into the old VM must not be recorded. */
    const whileCurrent = (record: Effect.Effect<void, StateDirectoryUnusable | NoSpace>) =>
      Effect.flatMap(
        entry.generation.now,
        (now): Effect.Effect<void, NoSpace | StateDirectoryUnusable | WorkspaceNotReady> =>
          Option.isSome(now) && now.value === generation
            ? record
            : new WorkspaceNotReady({
              workspace: called,
              state: "resetting",
              detail: "nothing was pushed",
              next: [words("Push again")]
            })
      ).pipe(entry.pushedLock.hold)
    return yield* syncPush(channel, payload, { folder, seedPath, live, baseline, whileCurrent })
  })
