import { Effect, Option } from "effect"
import { linkSeed, type WorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { copyPushed } from "../../../lib/seeding/model/pushed.ts"
import type { Guest } from "../../../lib/vm/model/guest.ts"
import type { VmPoints } from "../../../lib/vm/model/Vm.ts"
import { ensureFolder, exists } from "../../../system/files/entries.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { clockReader, monotonicMs } from "../../../system/waits/time.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import { unwritten } from "../../entry/record.ts"
import type { CommandJournal, JournaledCommand } from "../../residents/exec/journal.ts"
import { portsOfServices } from "../../residents/port/table.ts"
import { makePoint, newPointId, type Point } from "../records/point.ts"
import type { CaptureFolder } from "../records/snapshot.ts"
import { captureRunning, haveRoom } from "../snapshot/capture.ts"
import { type Before, copyIn, copyPoint, grownBy, isNeedless, recordOf } from "./disk-point.ts"

/** Commands, shells and runs of services without an end: they change memory without a write to the disk. */
const hasPrograms = ({ commands }: CommandJournal) => commands.some(({ end }) => end === undefined)

/** What the last point with memory took. */
export interface PointCost {
  /** Time that the guest stood still, in ms. 0 without such a point. */
  readonly pauseMs: number
  /** Time that the capture took, in ms: a command may wait for all of it. */
  readonly captureMs: number
}

/** The last points with memory that this process made, by workspace, and the time of the last use before each, in ms since 1970. */
const captures = new WeakMap<Entry, PointCost & { readonly id: string; readonly lastMs: number }>()

export const costOf = (entry: Entry): PointCost => captures.get(entry) ?? { pauseMs: 0, captureMs: 0 }

/** Stores memory, devices and a copy of the disk in the folder of a point. Gives its record. */
const captureIn = (
  before: Before,
  disk: WorkspaceDisk,
  { guest, points }: { readonly guest: Guest; readonly points: VmPoints },
  id: string,
  half: CaptureFolder
) =>
  Effect.gen(function*() {
    const { always, entry, journal, last, services } = before
    const { folder, uses } = entry
    yield* Effect.mapError(ensureFolder(half.logs), unwritten(folder))
    yield* linkSeed(half.disk, disk.seed.path)
    const to = copyIn(half, disk)
    // A point from before the first copy has layers, or none.
    const copied = last === undefined ? undefined : copyIn(last.folder, disk)
    const copy = {
      to,
      last: copied !== undefined && exists(copied) ? { file: copied, mark: last?.record.diskMark } : undefined
    }
    const begunMs = yield* monotonicMs
    // A rewind ends the guest, and waits for the copy.
    const early = always ? undefined : yield* points.copyEarly(copy)
    let commands: ReadonlyArray<JournaledCommand> = []
    let programs = false
    let takenAtMs = before.momentMs
    let lastMs = uses.lastMs
    const clock = yield* clockReader
    const memory = { path: half.frozen.memoryPath, uid: process.getuid?.() ?? 0 }
    const captured = yield* captureRunning(
      entry,
      { guest, identity: guest.vm.identity, memory },
      half,
      { copy: { ...copy, early } },
      () => {
        takenAtMs = clock.nowMs()
        commands = journal.steps
        programs = hasPrograms(journal)
        lastMs = uses.lastMs
      }
    )
    faultPoint("point:captured")
    captures.set(entry, { id, lastMs, pauseMs: captured.memory.pauseMs, captureMs: (yield* monotonicMs) - begunMs })
    yield* copyPushed(folder.directory, half.directory)
    const made = recordOf(before, commands, {
      id,
      layers: 1,
      takenAtMs,
      writtenBytes: grownBy(to, last, disk)
    })
    return {
      ...made,
      diskMark: captured.diskMark,
      ...(programs ? { hasPrograms: true as const } : {}),
      hostBoot: hostBootId(),
      declared: services.declared(),
      captured: { ...made.captured, memory: captured.memory, residents: portsOfServices(captured.residents) }
    }
  })

/** Longest wait for the guest's word that none of its programs runs. Without it the memory is captured. */
const WORD_LIMIT = 1_000 * deadlineScale

/**
 * Whether the guest's memory is still that of the last point: nothing has used the workspace since, and no program runs, not even a remaining child
 * of a command.
 */
const isStill = ({ entry, last }: Before, { channel }: Generation) =>
  Effect.suspend(() => {
    const { uses } = entry
    const captured = captures.get(entry)
    return last !== undefined && captured?.id === last.record.id && captured.lastMs === uses.lastMs && uses.count === 0
      ? Effect.map(channel.call.programs({}), (programs) => programs === 0).pipe(
        Effect.interruptible,
        Effect.timeout(WORD_LIMIT),
        Effect.orElseSucceed(() => false)
      )
      : Effect.succeed(false)
  })

/**
 * A point with the memory of the guest and a copy of its disk: the last one, if a point is wanted in any case and that one has both. `guest`: none if
 * the guest does not answer. Its disk alone is copied then, and if the memory cannot be captured.
 */
export const memoryPoint = (
  before: Before,
  disk: WorkspaceDisk,
  { guest, points }: { readonly guest: Option.Option<Generation>; readonly points: VmPoints }
) =>
  Effect.gen(function*() {
    const { always, entry: { folder }, isUnused, journal, last } = before
    const hasSameDisk = last?.record.diskMark !== undefined && last.record.diskMark === (yield* points.diskMark)
    const isQuiet = last?.record.hasPrograms !== true && !hasPrograms(journal)
    if (yield* isNeedless(before, hasSameDisk && (isQuiet || isUnused))) return Option.none<Point>()
    const ofDisk = copyPoint(before, disk, (to) => points.copyDisk({ to }))
    if (Option.isNone(guest)) return Option.some(yield* ofDisk)
    const mayBeStill = always && hasSameDisk && isQuiet
    if (mayBeStill && last !== undefined && (yield* isStill(before, guest.value))) return Option.some(last)
    const id = newPointId()
    const own = { guest: guest.value.guest, points }
    const whole = Effect.gen(function*() {
      yield* Effect.mapError(ensureFolder(folder.points), unwritten(folder))
      yield* haveRoom(yield* own.guest.vm.memoryBytes, `${folder.points}/${id}`)
      return yield* makePoint(folder, id, (half) => captureIn(before, disk, own, id, half))
    })
    return Option.some(yield* always ? Effect.catch(whole, () => ofDisk) : whole)
  })
