import { Effect } from "effect"
import { faultPoint } from "../../../system/waits/fault.ts"
import type { Lifecycle, Notify } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import type { JournaledCommand } from "../../residents/exec/journal.ts"
import type { Transition } from "../engine/description.ts"
import { endedBy } from "../engine/ended.ts"
import { Rebase } from "../engine/rebase.ts"
import { transit } from "../engine/transition.ts"
import type { GuestServices } from "../guest/generation.ts"
import { reportWarnings } from "../guest/notices.ts"
import type { Wanted } from "../points/choose.ts"
import { rewound } from "../points/expect.ts"
import { type PlannedReturn, planReturn } from "../points/return.ts"
import type { Point } from "../records/point.ts"
import { buildFrom, type MemoryServices, onNextDisk } from "../snapshot/restore.ts"

/** Services of a rewind: of a VM on the disk of a point, or from its memory. */
type RewindServices = GuestServices | MemoryServices

type RebaseFailure = Effect.Error<Effect.Success<ReturnType<typeof planReturn>>["both"]>

/** A VM with the state of a point. */
const rewinding = (
  entry: Entry,
  before: WorkspaceRecord,
  { folder, record: { captured } }: Point,
  rebasing: Effect.Effect<Rebase, RebaseFailure, RewindServices>,
  notify: Notify
): Transition<RewindServices, RebaseFailure | Effect.Error<ReturnType<typeof buildFrom>>> => {
  const source = { folder, captured, diskOnly: false, onDisk: () => faultPoint("rewind:disk") }
  return {
    name: "rewind",
    entry,
    shows: "resetting",
    build: (onUndo) => buildFrom(entry, onNextDisk(before), source, notify, onUndo),
    change: onNextDisk,
    lose: endedBy("rewind"),
    rebasing,
    adopts: true,
    oldDisk: entry.folder.disk(before.disk)
  }
}

/** What a rewind did. */
export interface Rewound extends Pick<PlannedReturn, "looks" | "point" | "written"> {
  /** Commands that it has undone, oldest first. */
  readonly undone: ReadonlyArray<JournaledCommand>
  /** The point of the state before the rewind. */
  readonly redo: Point
  /** Commands, shells and runs of services that ended with the old VM, oldest first. */
  readonly ended: ReadonlyArray<JournaledCommand>
  /** Whether the memory of the point came back. */
  readonly memory: boolean
}

/** Brings a workspace back to a point. The state before is a point, too. Its caller has the workspace alone. */
export const rewind = (lifecycle: Lifecycle, entry: Entry, wanted: Wanted, notify: Notify) =>
  Effect.gen(function*() {
    const planned = yield* planReturn(entry, wanted, notify)
    const { both, journal, looks, places, point, services, written } = planned
    const before = yield* entry.record.now
    // A paused workspace has running commands, too.
    const ran = journal.commands.filter(({ end }) => end === undefined).map(({ start }) => start.id)
    const hasMemory = point.record.captured.memory !== undefined
    // The next VM maps the file of a memory that the second one settles. Disks alone are made side by side.
    const { folder } = hasMemory ? (yield* both).returned : point
    const rebasing = Effect.map(both, ({ returned }) => Rebase.Point({ point: returned, undone: planned.spans }))
    yield* transit(lifecycle, rewinding(entry, before, { ...point, folder }, rebasing, notify))
    yield* rewound(entry, {
      commands: planned.total,
      // A point with memory is renewed while the guest is idle: the one of the return has a whole image.
      had: hasMemory ? undefined : {
        ended: journal.endedCount,
        // Those that start again. Nothing else has survived the old VM.
        hasPrograms: services.all().some(({ end, wanted }) => end === undefined && wanted === "running")
      }
    })
    yield* reportWarnings(entry, notify)
    return {
      point,
      redo: (yield* both).redo,
      undone: journal.steps.filter((_, place) => places.has(place)),
      ended: journal.commands.filter(({ end, start }) => end?.outcome === "lost" && ran.includes(start.id)),
      looks,
      memory: hasMemory,
      written
    } satisfies Rewound
  })
