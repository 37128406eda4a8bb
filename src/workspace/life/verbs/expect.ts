import { Effect, Option, Ref, Scope } from "effect"
import { formatOf } from "../../../lib/disk/layer-format.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import { type DiskSource, hasGrown, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { Pool } from "../../../lib/vm/Pool.ts"
import { nowMs } from "../../../system/waits/time.ts"
import type { Entry } from "../../entry/entry.ts"
import { virtualBytesOf } from "../../entry/record.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import { imagesOf } from "../guest/generation.ts"
import { dropAhead, isLeaving, makeAhead } from "../points/ahead.ts"
import { findPoint } from "../points/choose.ts"
import { isBehind } from "../points/lineage.ts"
import { type Point, readPoints } from "../records/point.ts"

/** Time after a return to a point in which the next return is expected, in ms: who goes back once tries again, and a guest that waits takes memory. */
const EXPECTED_MS = 10 * 60_000

/** The point that the next return most likely goes to: the one before the last command, or the present state if no command has run since a return. */
const likelyPoint = (entry: Entry) =>
  Effect.gen(function*() {
    const { commands: { journal } } = yield* residentsOf(entry, "workspace.rewind")
    if (journal.steps.length !== entry.pointMarks.returnedAt) {
      return Option.map(yield* Effect.option(findPoint(entry, { steps: 1 })), ({ point }) => point)
    }
    const undone = (yield* Ref.get(entry.record)).undone ?? []
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

/** Has a guest of the pool made ready on the disk of the point. A guest with a network device is never made ahead. */
const expectGuest = (entry: Entry, pool: Pool["Service"]) =>
  Effect.gen(function*() {
    const record = yield* Ref.get(entry.record)
    if (record.networkDriver === "tap") return
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
 * Has made ready what the next return to a point takes: a guest with the point's disk mounted, if the workspace has gone back lately, or the point's
 * memory. Without them a return works as well, and waits for them.
 */
export const expectReturn = (entry: Entry) =>
  Effect.gen(function*() {
    const { pointMarks: marks } = entry
    const { returnedMs } = marks
    const isExpected = returnedMs !== undefined && (yield* nowMs) - returnedMs <= EXPECTED_MS
    const generation = yield* Ref.get(entry.generation)
    const hasMemory = Option.exists(generation, ({ guest: { vm } }) => vm.points !== undefined)
    if (!isExpected && !hasMemory) return
    if (yield* isLeaving(entry)) return
    const pool = yield* Effect.serviceOption(Pool)
    if (marks.endExpected === undefined) {
      const endGuest = Option.match(pool, {
        onNone: () => Effect.void,
        onSome: ({ expect }) => expect(entry.id, Option.none())
      })
      marks.endExpected = Effect.andThen(endGuest, dropAhead(entry))
      yield* Scope.addFinalizer(entry.scope, marks.endExpected)
    }
    if (hasMemory) yield* Effect.forkIn(makeAhead(entry, likelyPoint(entry), { isExpected }), entry.scope)
    if (isExpected && Option.isSome(pool)) yield* expectGuest(entry, pool.value)
    // Its end may have come meanwhile, before there was something to end.
    if (yield* isLeaving(entry)) yield* marks.endExpected
  }).pipe(
    Effect.catch((failure) => Effect.logDebug(`${entry.id}: no return to a point is prepared: ${failure.message}`))
  )
