import { Effect, Exit, Option, Scope } from "effect"
import type { ChannelFailed, PyroError, VmFailed, WorkspaceNotReady } from "../../../contract/errors/errors.ts"
import type { WorkspaceOperation } from "../../../contract/rows/operations.ts"
import type { WorkspaceState } from "../../../contract/rows/workspace-info.ts"
import { type DiskSource, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { acquireLifecycleLock, endUnattached, type Lifecycle, unlessDeleted } from "../../entry/context.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import { beingDeleted, demandLegal } from "../../entry/not-ready.ts"
import { virtualBytesOf } from "../../entry/record.ts"
import type { GuestLost } from "../../entry/resident.ts"
import { explainChannelFailure } from "../engine/ended.ts"
import { detachedOr, runningGeneration } from "../engine/running.ts"
import type { GuestServices } from "../guest/generation.ts"
import { inInspectedRoot, inOwnRoot, type LookAtFiles } from "./inspected-root.ts"
import { explainInspector, openInspector } from "./inspector.ts"

const isLoss = (failure: unknown): failure is ChannelFailed | VmFailed =>
  ["ChannelFailed", "VmFailed"].includes((failure as { readonly _tag: string })._tag)

/** Reason for the end of work in a guest: another request took its VM out of the workspace, or the VM ended by itself. */
export const explainEnd =
  ({ entry, generation }: { readonly entry: Entry; readonly generation: Generation }) =>
  <A, E, R>(work: Effect.Effect<A, E | ChannelFailed, R>): Effect.Effect<A, E | GuestLost, R> =>
    Effect.catchIf(
      explainChannelFailure(generation.guest)(work),
      isLoss,
      (failure) => detachedOr(entry, generation, failure)
    )

/** A guest that has a workspace's files at /workspace and its baseline as /dev/vdc. */
export interface Reader {
  readonly channel: GuestChannel
  /** Gives a lost channel its cause. */
  readonly explain: <A, E extends PyroError, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | GuestLost, R>
  readonly lookAtFiles: LookAtFiles
}

/** A workspace and a guest that reads it. */
export interface Borrowed extends Reader {
  readonly entry: Entry
}

/**
 * Reader of a workspace by state: an inspector reads a disk that no VM writes and that no step will change. Every other state has a
 * VM, will have one, or loses its disk.
 */
export const readerOf = (state: WorkspaceState): "own" | "inspector" =>
  state === "stopped" || state === "failed" ? "inspector" : "own"

/** Whether to hold a workspace and read it in an inspector. */
export const isAtRest = (entry: Entry) => Effect.map(entry.state.now, ({ state }) => readerOf(state) === "inspector")

/** Reads the layers in the folder `disk`. No process may write them at the same time. */
export const openDiskReader = (
  entry: Entry,
  disk: string
) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const { layers, seed, top } = yield* readWorkspaceDisk(disk, virtualBytesOf(record))
    const source: DiskSource = { seed, layers: [...layers, top] }
    const guest = yield* openInspector(entry, source)
    return {
      channel: guest.channel,
      guest,
      explain: explainInspector(guest),
      lookAtFiles: inInspectedRoot(guest)
    }
  })

/**
 * The guest that reads a workspace in its current state: its own while it runs, else an inspector. `isHeld`: the caller holds the
 * workspace alone. Otherwise no inspector is opened.
 */
export const openReader = (
  entry: Entry,
  isHeld: boolean,
  operation: WorkspaceOperation
) =>
  Effect.gen(function*() {
    // Not running yet, or stopped by now: that state is the error.
    if (Option.isSome(yield* entry.generation.now) || !isHeld) {
      const generation = yield* runningGeneration(entry, operation)
      return {
        channel: generation.channel,
        explain: explainEnd({ entry, generation }),
        lookAtFiles: inOwnRoot
      }
    }
    return yield* openRestingDisk(entry)
  })

/** Reads the disk of a workspace at rest, which the caller holds alone. */
const openRestingDisk = (entry: Entry) =>
  Effect.gen(function*() {
    yield* endUnattached(entry)
    return yield* openDiskReader(entry, entry.folder.disk((yield* entry.record.now).disk))
  })

/**
 * Borrows a guest that reads a workspace, until the Scope closes. A workspace at rest is held: its start waits, and it does not
 * change. A deletion does not wait and ends the read, also one whose caller takes no more data. `awake` comes first: it resumes a paused workspace.
 */
export const borrowReader = <E, R>(
  lifecycle: Lifecycle,
  entry: Entry,
  operation: WorkspaceOperation,
  awake: Effect.Effect<void, E, R>
) =>
  Effect.flatMap(
    Effect.andThen(awake, isAtRest(entry)),
    (isHeld) =>
      isHeld
        ? borrowHeld(lifecycle, entry, openReader(entry, true, operation))
        : Effect.map(openReader(entry, false, operation), (reader): Borrowed => ({ ...reader, entry }))
  ).pipe(unlessDeleted(lifecycle, entry))

/** The same of the disk itself, for an operation that is legal for a workspace at rest only. */
export const borrowDisk = (
  lifecycle: Lifecycle,
  entry: Entry,
  operation: WorkspaceOperation
) =>
  demandLegal(entry, operation).pipe(
    Effect.andThen(
      // The workspace may have started before this lock was taken.
      borrowHeld(lifecycle, entry, Effect.andThen(demandLegal(entry, operation), openRestingDisk(entry)))
    ),
    unlessDeleted(lifecycle, entry)
  )

const borrowHeld = <A extends Reader, E>(
  lifecycle: Lifecycle,
  entry: Entry,
  open: Effect.Effect<A, E, Scope.Scope | GuestServices>
) =>
  Effect.gen(function*() {
    const own = yield* Effect.acquireRelease(Scope.make(), Scope.close)
    yield* Effect.forkScoped(Effect.andThen(entry.deletion.begun, Scope.close(own, Exit.void)))
    const orDeleted = <B, F, R>(look: Effect.Effect<B, F, R>): Effect.Effect<B, F | WorkspaceNotReady, R> =>
      Effect.catch(look, (failure) =>
        Effect.flatMap(
          entry.deletion.isUnderWay,
          (isDeleting): Effect.Effect<never, F | WorkspaceNotReady> =>
            isDeleting ? beingDeleted(entry) : Effect.fail(failure)
        ))
    const opening = Effect.andThen(acquireLifecycleLock(lifecycle, entry), open)
    const services = yield* Effect.context<GuestServices>()
    const reader = yield* orDeleted(Effect.provide(Scope.provide(opening, own), services))
    const explain: Reader["explain"] = (look) => orDeleted(reader.explain(look))
    return { ...reader, entry, explain }
  })
