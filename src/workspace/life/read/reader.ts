import { Effect, Exit, Option, Scope } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { WorkspaceOperation } from "../../../contract/rows/operations.ts"
import type { WorkspaceState } from "../../../contract/rows/workspace-info.ts"
import { type DiskSource, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { Guest } from "../../../lib/vm/model/guest.ts"
import { acquireLifecycleLock, endUnattached, type Lifecycle, unlessDeleted } from "../../entry/context.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import { beingDeleted, demandLegal } from "../../entry/not-ready.ts"
import { virtualBytesOf } from "../../entry/record.ts"
import { explainChannelFailure } from "../engine/ended.ts"
import { detachedOr, runningGeneration } from "../engine/running.ts"
import type { GuestServices } from "../guest/generation.ts"
import { inInspectedRoot, inOwnRoot, type LookAtFiles } from "./inspected-root.ts"
import { explainInspector, openInspector } from "./inspector.ts"

/** Reason for the end of work in a guest: another request took its VM out of the workspace, or the VM ended by itself. */
export const explainEnd =
  ({ entry, generation }: { readonly entry: Entry; readonly generation: Generation }) =>
  <A, R>(work: Effect.Effect<A, PyroError, R>): Effect.Effect<A, PyroError, R> =>
    Effect.catchTags(explainChannelFailure(generation.guest)(work), {
      ChannelFailed: (failure) => detachedOr(entry, generation, failure),
      VmFailed: (failure) => detachedOr(entry, generation, failure)
    })

/** A guest that has a workspace's files at /workspace and its baseline as /dev/vdc. */
export interface Reader {
  readonly channel: GuestChannel
  /** Gives a lost channel its cause. */
  readonly explain: <A, R>(effect: Effect.Effect<A, PyroError, R>) => Effect.Effect<A, PyroError, R>
  readonly lookAtFiles: LookAtFiles
}

/** A workspace and a guest that reads it. */
export interface Borrowed extends Reader {
  readonly entry: Entry
}

/** An inspector of a disk. */
interface DiskReader extends Reader {
  readonly guest: Guest
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
): Effect.Effect<DiskReader, PyroError, Scope.Scope | GuestServices> =>
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
): Effect.Effect<Reader, PyroError, Scope.Scope | GuestServices> =>
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
export const borrowReader = <R>(
  lifecycle: Lifecycle,
  entry: Entry,
  operation: WorkspaceOperation,
  awake: Effect.Effect<void, PyroError, R>
): Effect.Effect<Borrowed, PyroError, R | Scope.Scope | GuestServices> =>
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
): Effect.Effect<Borrowed & DiskReader, PyroError, Scope.Scope | GuestServices> =>
  demandLegal(entry, operation).pipe(
    Effect.andThen(
      // The workspace may have started before this lock was taken.
      borrowHeld(lifecycle, entry, Effect.andThen(demandLegal(entry, operation), openRestingDisk(entry)))
    ),
    unlessDeleted(lifecycle, entry)
  )

const borrowHeld = <A extends Reader>(
  lifecycle: Lifecycle,
  entry: Entry,
  open: Effect.Effect<A, PyroError, Scope.Scope | GuestServices>
): Effect.Effect<A & Borrowed, PyroError, Scope.Scope | GuestServices> =>
  Effect.gen(function*() {
    const own = yield* Effect.acquireRelease(Scope.make(), Scope.close)
    yield* Effect.forkScoped(Effect.andThen(entry.deletion.begun, Scope.close(own, Exit.void)))
    const orDeleted: Reader["explain"] = (look) =>
      Effect.catch(look, (failure) =>
        Effect.flatMap(
          entry.deletion.isUnderWay,
          (isDeleting) => isDeleting ? beingDeleted(entry) : Effect.fail(failure)
        ))
    const opening = Effect.andThen(acquireLifecycleLock(lifecycle, entry), open)
    const services = yield* Effect.context<GuestServices>()
    const reader = yield* orDeleted(Effect.provide(Scope.provide(opening, own), services))
    return { ...reader, entry, explain: (look) => orDeleted(reader.explain(look)) }
  })
