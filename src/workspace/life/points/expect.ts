import { Effect, Option, Scope } from "effect"
import { formatOf } from "../../../lib/disk/layer-format.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import { type DiskSource, hasGrown, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { Pool } from "../../../lib/vm/Pool.ts"
import { nowMs } from "../../../system/waits/time.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import { virtualBytesOf } from "../../entry/record.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import { imagesOf } from "../guest/generation.ts"
import { type Point, readPoints } from "../records/point.ts"
import { dropAhead, isLeaving, makeAhead } from "./ahead.ts"
import { findPoint } from "./choose.ts"
import { lookAfterReturn } from "./last-look.ts"
import { isBehind } from "./lineage.ts"

/** Time after a return to a point in which the next return is expected, in ms: a person who rewinds once often rewinds again, and a waiting guest takes memory. */
const EXPECTED_MS = 10 * 60_000

/** A return to a point. */
interface Return {
  /** Number of commands in the history then. */
  readonly commands: number
  /** Its time, in ms since 1970. */
  readonly ms: number
}

/** The last returns, by workspace, with the number of the disk that each has made. */
const returns = new WeakMap<Entry, Return & { readonly disk: number }>()

/** The return that has made the workspace's present disk. Undefined if a reset or a start from elsewhere has. */
const lastReturn = (entry: Entry): Return | undefined => {
  const last = returns.get(entry)
  return last?.disk === entry.record.get().disk ? last : undefined
}

/** Notes a return to a point: the next one is expected for a while. */
export const noteReturn = (entry: Entry, made: Return): void => {
  returns.set(entry, { ...made, disk: entry.record.get().disk })
}

/** Number of commands in the history at the last return to a point. Undefined if none was made since the last reset. */
export const commandsAtReturn = (entry: Entry): number | undefined => lastReturn(entry)?.commands

/** The VM whose next return is prepared, by workspace. */
const expecting = new WeakMap<Entry, Generation>()

/** Ends the guest and removes the memory that were prepared for the next return from this VM. Preparations for a later VM stay. */
const ended = (entry: Entry, generation: Generation, pool: Option.Option<Pool["Service"]>) =>
  Effect.suspend(() => {
    if (expecting.get(entry) !== generation) return Effect.void
    const endGuest = Option.match(pool, {
      onNone: () => Effect.void,
      onSome: ({ expect }) => expect(entry.id, Option.none())
    })
    return Effect.andThen(endGuest, dropAhead(entry))
  })

/** The point that the next return most likely goes to: the one before the last command, or the present state if no command has run since a return. */
const likelyPoint = (entry: Entry) =>
  Effect.gen(function*() {
    const { commands: { journal } } = yield* residentsOf(entry, "workspace.rewind")
    if (journal.steps.length !== commandsAtReturn(entry)) {
      return Option.map(yield* Effect.option(findPoint(entry, { steps: 1 })), ({ point }) => point)
    }
    const undone = (yield* entry.record.now).undone ?? []
    return Option.fromNullishOr((yield* readPoints(entry.folder)).findLast(({ record }) => isBehind(record, undone)))
  })

/** The frozen disk of a point without memory. None if nothing was written before it: any guest of the pool serves it. */
const diskOf = ({ folder, record: { captured } }: Point, virtualBytes: number) =>
  Effect.gen(function*() {
    if (captured.memory !== undefined || captured.layers === 0) return Option.none<DiskSource>()
    const { layers, seed, top } = yield* readWorkspaceDisk(folder.disk, virtualBytes)
    const disk: DiskSource = { seed, layers: [...layers, top] }
    return formatOf(top) === "qcow2" && !hasGrown(disk) ? Option.some(disk) : Option.none()
  })

/** Prepares a guest of the pool on the disk of the point. */
const expectGuest = (entry: Entry, pool: Pool["Service"]) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const point = yield* likelyPoint(entry)
    const disk = Option.isNone(point) ? Option.none() : yield* diskOf(point.value, virtualBytesOf(record))
    if (Option.isNone(disk)) return yield* pool.expect(entry.id, Option.none())
    const request = {
      ...disk.value,
      purpose: "workspace" as const,
      driver: record.driver,
      images: yield* imagesOf(entry, record),
      vcpuCount: record.vcpuCount,
      memoryMib: record.memoryMib,
      placeholder: yield* Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib)),
      dieWithParent: false
    }
    yield* pool.expect(entry.id, Option.some(request))
  })

/**
 * Prepares the next rewind: a guest with the point's disk mounted, if the workspace was rewound lately, or the point's memory. A rewind works without
 * them, and takes longer.
 */
export const expectReturn = (entry: Entry) =>
  Effect.gen(function*() {
    const returned = lastReturn(entry)
    const isExpected = returned !== undefined && (yield* nowMs) - returned.ms <= EXPECTED_MS
    const generation = Option.getOrUndefined(yield* entry.generation.now)
    if (generation === undefined) return
    const hasMemory = generation.guest.vm.points !== undefined
    if (!isExpected && !hasMemory) return
    if (yield* isLeaving(entry)) return
    const pool = yield* Effect.serviceOption(Pool)
    const end = ended(entry, generation, pool)
    if (expecting.get(entry) !== generation) {
      expecting.set(entry, generation)
      yield* Scope.addFinalizer(generation.scope, end)
    }
    if (hasMemory) yield* Effect.forkIn(makeAhead(entry, likelyPoint(entry), { isExpected }), entry.scope)
    if (isExpected && Option.isSome(pool)) yield* expectGuest(entry, pool.value)
    // The end may have been requested before there was anything to end.
    if (yield* isLeaving(entry)) yield* end
  }).pipe(
    Effect.catch((failure) => Effect.logDebug(`${entry.id}: no return to a point is prepared: ${failure.message}`))
  )

/**
 * After a return to a point, after this number of commands. `had`: what the point has, if it is the state before the next command without another
 * look. Prepares what the next return needs.
 */
export const rewound = (
  entry: Entry,
  { commands, had }: {
    readonly commands: number
    readonly had: { readonly ended: number; readonly hasPrograms: boolean } | undefined
  }
) =>
  Effect.gen(function*() {
    lookAfterReturn(entry, had)
    noteReturn(entry, { commands, ms: yield* nowMs })
    yield* Effect.forkIn(expectReturn(entry), entry.scope)
  })
