import { Effect, Option, Schedule } from "effect"
import { WorkspaceNotReady } from "../../../contract/errors/errors.ts"
import { call } from "../../../contract/errors/next-step.ts"
import { isLegal, type WorkspaceOperation } from "../../../contract/rows/operations.ts"
import type { Generation } from "../../entry/current-generation.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import { notReady } from "../../entry/not-ready.ts"
import { silenceOf, type Standstill, troubleText } from "../../entry/standstill.ts"

/** Grace period for a guest that a full host disk has stopped: a request waits this long for the guest to resume. */
const RESUME_GRACE = "2 seconds"

/** The running VM of a workspace, for an operation that is legal in the workspace's state. */
export const runningGeneration = (
  entry: Entry,
  operation: WorkspaceOperation
): Effect.Effect<Generation, WorkspaceNotReady> =>
  Effect.flatMap(entry.state.now, ({ state }) =>
    isLegal(operation, state)
      ? Effect.flatMap(
        entry.generation.now,
        Option.match({
          onNone: () => notReady(entry, operation),
          onSome: (generation) => Effect.as(demandMoving(entry, generation), generation)
        })
      )
      : notReady(entry, operation))

/** Fails if the host's disk is full and has paused the guest. */
export const demandMoving = (entry: Entry, { guest }: Generation): Effect.Effect<void, WorkspaceNotReady> => {
  const isStill = Effect.map(guest.vm.health.trouble, (trouble) => trouble === "no-space")
  return Effect.flatMap(isStill, (still) =>
    still
      ? isStill.pipe(
        Effect.repeat({ while: (still) => still, schedule: Schedule.spaced("100 millis") }),
        Effect.asVoid,
        Effect.timeoutOrElse({ duration: RESUME_GRACE, orElse: () => standsStill(entry) })
      )
      : Effect.void)
}

const standsStill = (entry: Entry) =>
  Effect.flatMap(displayName(entry), (workspace) =>
    new WorkspaceNotReady({
      workspace,
      state: "standing still",
      detail: "the host's disk is full, and it goes on when there is room",
      next: [
        call("Free some space", "gc"),
        call("Or delete workspaces that you do not need. List them", "workspace.list")
      ]
    }))

/** Reason for failed work in a workspace's VM: the VM was detached from the workspace, or the failure itself. */
export const detachedOr = <E>(
  entry: Entry,
  generation: Generation,
  failure: E
): Effect.Effect<never, E | WorkspaceNotReady> =>
  Effect.gen(function*() {
    const now = yield* entry.generation.now
    const { state } = yield* entry.state.now
    if (state === "failed" || (Option.isSome(now) && now.value === generation)) return yield* Effect.fail(failure)
    const detail = "the microVM that this was done in was ended meanwhile"
    return yield* new WorkspaceNotReady({ workspace: yield* displayName(entry), state, detail })
  })

/** Why the commands of a workspace make no progress now. */
export const standstillOf = (entry: Entry): Standstill =>
  Effect.flatMap(
    entry.generation.now,
    Option.match({
      onNone: () => Effect.succeed(undefined),
      onSome: ({ channel, guest }) =>
        Effect.flatMap(
          guest.vm.health.trouble,
          (trouble) => trouble === "none" ? silenceOf(channel) : Effect.succeed(troubleText(trouble))
        )
    })
  )
