import { Effect, Option, Semaphore } from "effect"
import { WorkspaceNotReady } from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import { notice } from "../../../contract/rows/notice.ts"
import type { CandidateResult } from "../../../contract/rows/workspace-try-fields.ts"
import type { SharedMemory } from "../../../lib/vm/model/Vm.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { lastActivity } from "../../entry/activity.ts"
import { alone, aloneFor, type Lifecycle, type Notify } from "../../entry/context.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import { hasPoints } from "../../life/points/keeper.ts"
import { takePoint } from "../../life/points/take.ts"
import type { Snapshot } from "../../life/records/snapshot.ts"
import { canShare } from "../../life/snapshot/capture.ts"
import { captureHidden, removeHidden } from "../../life/snapshot/hidden.ts"
import { resetTo } from "../../life/verbs/reset.ts"
import { isBetter } from "./best.ts"
import type { Keep } from "./request.ts"

/** The workspace as the try found it. */
export interface Point {
  readonly tryId: string
  readonly generation: number
  readonly snapshot: Snapshot
  /** The snapshot's memory, if the candidates share it: it is in no file then. */
  readonly shared: SharedMemory | undefined
}

const hiddenName = (tryId: string, more = "") => `.try-${tryId}${more}`

/** Captures the workspace that the candidates begin from, until the Scope closes. */
export const acquirePoint = (lifecycle: Lifecycle, source: Entry, tryId: string) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const { generation } = yield* source.record.now
    const running = Option.getOrUndefined(yield* source.generation.now)
    const shareIn = running !== undefined && (yield* canShare(running.guest.vm, 1)) ? scope : undefined
    const { shared, ...snapshot } = yield* captureHidden(source, { owner: source, name: hiddenName(tryId), shareIn })
    faultPoint("try:captured")
    const point: Point = { tryId, generation, snapshot, shared }
    return point
  }).pipe(
    aloneFor(lifecycle, source, "workspace.try"),
    (capture) => Effect.acquireRelease(capture, ({ snapshot }) => removeHidden(snapshot))
  )

interface Parked {
  readonly index: number
  readonly result: CandidateResult
  readonly snapshot: Snapshot
}

/**
 * The candidate that will be kept, as a hidden snapshot of the workspace. So its VM can end, and waiting candidates get the memory. A better
 * candidate replaces it. The Scope removes it.
 */
export const makeParking = (lifecycle: Lifecycle, source: Entry, { tryId }: Point, keep: Keep) =>
  Effect.gen(function*() {
    const turn = yield* Semaphore.make(1)
    let parked: Parked | undefined
    const leave = Effect.suspend(() => parked === undefined ? Effect.void : removeHidden(parked.snapshot))
    yield* Effect.addFinalizer(() => leave)

    const isWanted = (index: number, result: CandidateResult) => {
      if (result.outcome !== "passed" || keep._tag === "none") return false
      if (keep._tag === "name") return result.name === keep.name
      if (parked === undefined) return true
      if (keep._tag === "first-pass") return false
      return isBetter(result, parked.result) || (!isBetter(parked.result, result) && index < parked.index)
    }

    /** Captures a candidate if it is the one to keep so far. */
    const offer = (index: number, result: CandidateResult, candidate: Entry) =>
      Effect.suspend(() => {
        if (!isWanted(index, result)) return Effect.void
        const name = hiddenName(tryId, `-${index + 1}`)
        return captureHidden(candidate, { owner: source, name, candidate: result.name }).pipe(
          alone(lifecycle, candidate),
          Effect.tap(leave),
          Effect.map((snapshot) => {
            parked = { index, result, snapshot }
            faultPoint("try:parked")
          }),
          Effect.uninterruptible
        )
      }).pipe(turn.withPermits(1))

    return { offer, parked: Effect.sync(() => parked) }
  })

const changedMeanwhile = (source: Entry) =>
  Effect.gen(function*() {
    return yield* new WorkspaceNotReady({
      workspace: yield* displayName(source),
      state: (yield* source.state.now).state,
      detail: "it was stopped, started or reset while the candidates were tried",
      next: [words("Try them again")]
    })
  })

/** Makes a point of the workspace before the keep, so that a rewind can undo the keep. If that fails, the keep goes on without the point. */
const pointBeforeKeep = (source: Entry, record: WorkspaceRecord, notify: Notify) =>
  hasPoints(record)
    ? takePoint(source, { always: true }).pipe(
      source.pushLock.hold,
      Effect.catch(({ fact, next }) => {
        notify(notice("warning", `no rewind can undo the keep: ${fact}`, next))
        return Effect.succeedNone
      })
    )
    : Effect.succeedNone

/**
 * A candidate becomes the workspace, as a reset to a hidden snapshot of it. A crash leaves the workspace as it was, or the candidate as the
 * workspace. Gives the point of the state before, if there is one. The caller has the workspace alone.
 */
export const keepSnapshot = (lifecycle: Lifecycle, source: Entry, name: string, notify: Notify) =>
  Effect.gen(function*() {
    const undo = yield* pointBeforeKeep(source, yield* source.record.now, notify)
    yield* resetTo(lifecycle, source, { snapshot: name, diskOnly: false }, notify)
    faultPoint("try:kept")
    return Option.getOrUndefined(Option.map(undo, (point) => point.record.id))
  })

/** The captured candidate becomes the workspace. */
export const keepParked = (lifecycle: Lifecycle, source: Entry, point: Point, parked: Parked, notify: Notify) =>
  Effect.gen(function*() {
    const record = yield* source.record.now
    if (record.generation !== point.generation) return yield* changedMeanwhile(source)
    if (lastActivity(source.folder, record).getTime() > point.snapshot.record.captured.takenAtMs) {
      notify({
        _tag: "Notice",
        level: "warning",
        message: "the workspace was used while the candidates were tried: what changed in it since then is gone"
      })
    }
    return yield* keepSnapshot(lifecycle, source, parked.snapshot.record.name, notify)
  }).pipe(aloneFor(lifecycle, source, "workspace.reset"))
