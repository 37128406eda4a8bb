import { Deferred, Effect } from "effect"
import { notice } from "../../../contract/rows/notice.ts"
import type { CandidateResult } from "../../../contract/rows/workspace-try-fields.ts"
import type { TryEvent, TryPayload } from "../../../contract/rows/workspace-try.ts"
import { coreCount } from "../../../system/processes/host.ts"
import { newRequestId } from "../../../system/processes/identity.ts"
import { withNotices } from "../../../system/waits/notices.ts"
import type { Lifecycle, Notify } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { beingDeleted } from "../../entry/not-ready.ts"
import { fork } from "../../life/verbs/fork.ts"
import { wakeFor } from "../../life/verbs/pause.ts"
import { remove } from "../../life/verbs/remove.ts"
import { infoOf } from "../info.ts"
import { becauseOf, bestOf } from "./best.ts"
import { acquirePoint, keepParked, makeParking, type Point } from "./keep.ts"
import { type Named, type Wanted, wantedOf } from "./request.ts"
import { makeRoom } from "./room.ts"
import { makeStates } from "./states.ts"
import { judge } from "./steps.ts"

type Report = (event: TryEvent) => void

/** Candidates at a time, as far as the processors decide. */
const atOnce = (vcpuCount: number) => Math.max(1, Math.ceil(coreCount() / vcpuCount))

const unjudged = (
  name: string,
  outcome: "error" | "stopped" | "not_started",
  reason?: string
): CandidateResult => ({
  name,
  outcome,
  durationMs: 0,
  tail: "",
  truncated: false,
  ...(reason === undefined ? {} : { reason })
})

const forkOf = (lifecycle: Lifecycle, source: Entry, { shared, snapshot, tryId }: Point) =>
  Effect.map(
    fork(
      lifecycle,
      source,
      { workspace: source.id, count: 1, snapshot: snapshot.record.name, withoutSecrets: false },
      () => {},
      { tryOf: tryId, shared }
    ),
    ([made]) => made!
  )

const waits = ({ name }: Named): TryEvent => ({
  _tag: "Notice",
  level: "progress",
  message: `${name} waits until another candidate has ended: there is no memory for both`
})

/** Warnings alone: a try shows no progress of single candidates. */
const warningsTo = (report: Report): Notify => (notice) => {
  if (notice.level === "warning") report(notice)
}

/** Tries every candidate in a fork of its own, and gives what became of each and the one to keep. */
const tryAll = (
  lifecycle: Lifecycle,
  source: Entry,
  payload: TryPayload,
  { candidates, keep }: Wanted,
  point: Point,
  states: Effect.Success<ReturnType<typeof makeStates>>,
  report: Report
) =>
  Effect.gen(function*() {
    const { vcpuCount } = yield* source.record.now
    const room = yield* makeRoom
    const parking = yield* makeParking(lifecycle, source, point, keep)
    const isOver = yield* Deferred.make<void>()

    const inFork = (candidate: Named, index: number) =>
      Effect.scoped(Effect.gen(function*() {
        const entry = yield* room({
          make: forkOf(lifecycle, source, point),
          remove: (made) => Effect.ignoreCause(remove(lifecycle, made)),
          onWait: () => report(waits(candidate))
        })
        report({ _tag: "Started", candidate: candidate.name })
        const result = yield* judge(lifecycle, entry, candidate, payload)
        yield* parking.offer(index, result, entry)
        yield* states.store(index, result, entry)
        return result
      }))

    const one = (candidate: Named, index: number) =>
      Effect.gen(function*() {
        if (yield* Deferred.isDone(isOver)) return unjudged(candidate.name, "not_started")
        const result = yield* inFork(candidate, index).pipe(
          Effect.catch(({ fact }) => Effect.succeed(unjudged(candidate.name, "error", fact))),
          Effect.raceFirst(Effect.as(Deferred.await(isOver), unjudged(candidate.name, "stopped")))
        )
        if (payload.stopAtFirstPass && result.outcome === "passed") yield* Deferred.succeed(isOver, undefined)
        return result
      }).pipe(Effect.tap((result) => Effect.sync(() => report({ _tag: "Tried", result }))))

    const results = yield* Effect.forEach(candidates, one, {
      concurrency: payload.maxParallel ?? atOnce(vcpuCount)
    })
    return { results, parked: yield* parking.parked }
  })

/** Fails once the workspace is being deleted. */
const deletionOf = (source: Entry) => Effect.andThen(source.deletion.begun, beingDeleted(source))

const trying = (
  lifecycle: Lifecycle,
  payload: TryPayload,
  report: Report
) =>
  Effect.scoped(Effect.gen(function*() {
    const wanted = yield* wantedOf(payload)
    const source = yield* lifecycle.registry.find(payload.workspace)
    // The workspace is in use to the end, so that no pause comes before a candidate is kept.
    yield* wakeFor(lifecycle, source, "workspace.try")
    const point = yield* acquirePoint(lifecycle, source, newRequestId().slice(0, 12))
    const states = yield* makeStates(lifecycle, source, point)
    const { parked, results } = yield* tryAll(lifecycle, source, payload, wanted, point, states, report).pipe(
      Effect.raceFirst(deletionOf(source))
    )
    const kept = parked === undefined ? undefined : yield* keepParked(
      lifecycle,
      source,
      point,
      parked,
      warningsTo(report)
    ).pipe(
      Effect.map((undo) => ({
        kept: parked.result.name,
        ...(undo === undefined ? {} : { undo })
      })),
      // The table took minutes: a failure to keep a candidate must not lose the table.
      Effect.catch(({ fact, next }) => {
        report(notice("warning", `${parked.result.name} was not kept: ${fact}`, next))
        return Effect.succeed(undefined)
      })
    )
    const best = bestOf(results)
    return {
      _tag: "Done" as const,
      candidates: results,
      ...(best === undefined ? {} : { best: best.name, bestReason: becauseOf(results, best) }),
      ...kept,
      ...(yield* states.finish),
      workspace: yield* infoOf(source)
    }
  }))

/** Tries candidates. The end of the stream ends the try, and removes the candidates. The disks of the candidates of a finished try stay for a day. */
export const tryCandidates = (
  lifecycle: Lifecycle,
  payload: TryPayload
) => withNotices((report: Report) => trying(lifecycle, payload, report))
