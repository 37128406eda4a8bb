import { Effect, Option } from "effect"
import { formatOf } from "../../../lib/disk/layer-format.ts"
import { readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { endUnattached } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { virtualBytesOf } from "../../entry/record.ts"
import type { JournaledCommand } from "../../residents/exec/journal.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import { flush, flushForMount } from "../guest/flush.ts"
import { readPoints } from "../records/point.ts"
import { type Before, freezePoint, storePoint } from "./disk-point.ts"
import { lookAgain, notePrograms } from "./last-look.ts"
import { memoryPoint } from "./memory.ts"
import { evict } from "./ring.ts"

/** Longest wait for the guest to write its memory to the disk: a point that takes longer is given up. */
const FLUSH_LIMIT = "10 seconds"

/** How a point is made. */
interface Taking {
  /** A point is made even if nothing was written since the last one, or a command has started meanwhile. */
  readonly always?: boolean
  /** @default `FLUSH_LIMIT` */
  readonly flushLimit?: Parameters<typeof Effect.timeoutOption>[1]
  /** No use has ended since the last look: a point is needless if its disk is the same, whatever the memory has. */
  readonly isUnused?: boolean
  /** No point is made: the last one notes which commands since have left the disk as it is. */
  readonly onlyLook?: boolean
  /** Points that the ring keeps in any case. */
  readonly kept?: ReadonlyArray<string>
}

/** Number of the commands from a place on that have ended, up to the first one that runs. */
const endedFrom = (steps: ReadonlyArray<JournaledCommand>, place: number) => {
  const running = steps.findIndex(({ end }, at) => at >= place && end === undefined)
  return (running === -1 ? steps.length : running) - place
}

/**
 * Makes a point of the workspace as it is now, while the guest runs on, and gives the point: the last one, if that is known to have all. Gives none if
 * nothing changed since the last one, and if a command starts meanwhile, since the point would be of the middle of that command. The caller has the
 * workspace alone.
 */
export const takePoint = (
  entry: Entry,
  { always = false, flushLimit = FLUSH_LIMIT, isUnused = false, kept = [], onlyLook = false }: Taking = {}
) =>
  Effect.gen(function*() {
    const { folder } = entry
    const { commands: { journal }, services } = yield* residentsOf(entry, "workspace.rewind")
    const record = yield* entry.record.now
    const generation = yield* entry.generation.now
    const startedBefore = journal.steps.length
    const momentMs = yield* nowMs
    const points = yield* readPoints(folder)
    const last = points.at(-1)
    const endedAfterLast = last === undefined ? 0 : endedFrom(journal.steps, last.record.commands)
    if (onlyLook && endedAfterLast <= (last?.record.unchanged ?? 0)) return Option.none()
    let answers = true
    if (Option.isSome(generation)) {
      const { channel, guest } = generation.value
      // The next VM mounts the disk of a point without memory. A rewind waits for the point of the state before, to which few return.
      const written = guest.vm.points === undefined && !always ? flushForMount(channel) : flush(channel)
      // Before the flush, whose point has all that is written until then: without programs, nothing is written after the flush.
      const noted = always ? Effect.void : notePrograms(entry, channel)
      const flushed = Effect.timeoutOption(Effect.andThen(noted, written), flushLimit)
      // A guest that does not answer can still be brought back.
      answers = Option.isSome(yield* always ? Effect.orElseSucceed(flushed, () => Option.none()) : flushed)
      if (!answers && !always) {
        lookAgain(entry)
        return Option.none()
      }
    } else yield* endUnattached(entry)
    const before: Before = {
      entry,
      record,
      last,
      journal,
      services,
      momentMs,
      startedBefore,
      endedAfterLast,
      always,
      isUnused,
      onlyLook
    }
    const disk = yield* readWorkspaceDisk(folder.disk(record.disk), virtualBytesOf(record))
    const vm = Option.getOrUndefined(generation)?.guest.vm
    const made = vm?.points !== undefined
      ? yield* memoryPoint(before, disk, { points: vm.points, guest: answers ? generation : Option.none() })
      : vm === undefined && formatOf(disk.top) === "store"
      ? Option.some(yield* storePoint(before, disk))
      : yield* freezePoint(before, disk, vm)
    if (Option.isSome(made) && made.value.record.id !== last?.record.id) {
      yield* evict(folder, record, [...points, made.value], [...kept, made.value.record.id])
    }
    return made
  }).pipe(asStep("point"), Effect.uninterruptible)
