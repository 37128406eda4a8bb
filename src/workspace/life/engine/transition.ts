import { Effect, Exit, Option, Scope } from "effect"
import { exists } from "../../../system/files/entries.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { touch } from "../../entry/activity.ts"
import { close, endUnattached, generationScope, leaveBehind, type Lifecycle } from "../../entry/context.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import { openResidentsOf } from "../../residents/open/entry-residents.ts"
import { crashPoints, death, type Step, type Transition, type TransitionServices } from "./description.ts"
import { watch } from "./install.ts"
import { markStale, type Rebase, rebaseResidents } from "./rebase.ts"
import { moveToTrash, removeTrashed } from "./sweep.ts"

/** One transition on its way. */
interface Passage<R, E> {
  readonly transition: Transition<R, E>
  /** Scope of the next generation. Its end before the commit undoes the build. */
  readonly scope: Scope.Closeable | undefined
  old: Option.Option<Generation>
  next: Generation | undefined
  rebase: Rebase | undefined
  isCommitted: boolean
}

/**
 * Moves workspaces from one generation to the next, all or none, in the one order of all changes. A crash before the commit leaves every
 * record unchanged, and the next process removes files that no record names. A crash after the commit leaves the changed records, and the
 * next process completes their announcements (`adopt.ts`). One rename of `record.json` separates the two.
 */
export const transitAll = <R, E>(
  lifecycle: Lifecycle,
  transitions: ReadonlyArray<Transition<R, E>>
) =>
  Effect.gen(function*() {
    const passages = yield* Effect.forEach(transitions, open)
    const { each, crash } = stepsOf(passages)
    const switched = Effect.gen(function*() {
      // No disk has two writers: a VM without an attachment to this process ends before the next VM is made.
      yield* each(endOther)
      // The present generations run on while the next ones are made.
      yield* each(buildNext, "build")
      crash("built")
      // From here on no request starts work in the old generations, and the next ones are not visible yet.
      yield* each(detachOld)
      yield* each(({ next, old, transition }) => transition.handOver?.({ next, old }) ?? Effect.void, "hand over")
      crash("handed-over")
      // The one write that switches over.
      yield* each(commitRecord, "commit")
    })
    yield* Effect.onError(switched, () => each((passage) => undo(lifecycle, passage)))
    // From here on nothing fails: the records have the new state, and the next process repeats the following steps after a crash.
    for (const passage of passages) passage.isCommitted = true
    crash("committed")
    // Without a next generation the old one ends first, so that the residents get all its output.
    yield* each(({ next, old }) => next === undefined && Option.isSome(old) ? close(old.value) : Effect.void, "end")
    yield* each(reportToResidents, "residents")
    crash("settled")
    yield* each((passage) => installNext(lifecycle, passage))
    yield* each((passage) => dropMemory(passage as Passage<unknown, unknown>))
    // Otherwise the old one ends in the background, after the first command in the next one.
    yield* each(({ next, old, transition: { entry, oldDisk } }) =>
      next === undefined || oldDisk === undefined ? Effect.void : leaveBehind(entry, old, oldDisk)
    )
    return passages.map(({ next }) => next)
  }).pipe(Effect.uninterruptible)

/** Moves one workspace from its generation to the next. */
export const transit = <R, E>(lifecycle: Lifecycle, transition: Transition<R, E>) => {
  const passed = Effect.map(transitAll(lifecycle, [transition]), ([next]) => next)
  const { entry, shows } = transition
  return Effect.uninterruptible(shows === undefined ? passed : entry.state.showing(shows)(passed))
}

/** VMs that start at the same time. */
const BUILT_AT_ONCE = 2

/** Does a step for all workspaces of a transition. A step that may take long has a span; only a build can be interrupted. */
const stepsOf = <R, E>(passages: ReadonlyArray<Passage<R, E>>) => {
  const { name } = passages[0]!.transition
  const points: ReadonlyArray<Step> = crashPoints[name]
  const each = <E2, R2>(
    work: (passage: Passage<R, E>) => Effect.Effect<unknown, E2, R2>,
    step?: "build" | "hand over" | "commit" | "end" | "residents"
  ): Effect.Effect<void, E2, R2> => {
    const concurrency = step === "build" && passages.length > 1 ? BUILT_AT_ONCE : 1
    const all = Effect.forEach(passages, work, { concurrency, discard: true })
    if (step === undefined) return all
    return asStep(step)(step === "build" ? Effect.interruptible(all) : all)
  }
  const crash = (step: Step) => {
    if (points.includes(step)) faultPoint(`${name}:${step}`)
  }
  return { each, crash }
}

const open = <R, E>(transition: Transition<R, E>) =>
  Effect.gen(function*() {
    const { build, entry, scope, detached, rebase } = transition
    const passage: Passage<R, E> = {
      transition,
      scope: build === undefined ? undefined : scope ?? (yield* generationScope(entry)),
      old: Option.fromNullishOr(detached),
      next: undefined,
      rebase,
      isCommitted: false
    }
    return passage
  })

const endOther = <R, E>({ transition: { attaches, entry, detached } }: Passage<R, E>) =>
  attaches === true || detached !== undefined ? Effect.void : endUnattached(entry)

const buildNext = <R, E>(passage: Passage<R, E>) => {
  const { scope, transition: { build, rebasing } } = passage
  if (build === undefined || scope === undefined) return Effect.void
  const onUndo = (work: Effect.Effect<void>) =>
    Scope.addFinalizer(scope, Effect.suspend(() => passage.isCommitted ? Effect.void : work))
  const built = Effect.map(Scope.provide(build(onUndo), scope), (guest) => {
    passage.next = { guest, channel: guest.channel, scope }
  })
  if (rebasing === undefined) return built
  const rebased = Effect.map(rebasing, (rebase) => {
    passage.rebase = rebase
  })
  return Effect.all([built, rebased], { concurrency: 2, discard: true })
}

const detachOld = <R, E>(passage: Passage<R, E>) =>
  passage.transition.detached === undefined
    ? Effect.map(passage.transition.entry.generation.detach, (old) => {
      passage.old = old
    })
    : Effect.void

/** No next VM needs the memory of a pause any more. */
const withVm = ({ paused: _, ...record }: WorkspaceRecord, { guest: { vm } }: Generation): WorkspaceRecord => ({
  ...record,
  phase: "running",
  vm: vm.id
})

const commitRecord = <R, E>({ next, rebase, transition: { change, durable, entry, unwritten } }: Passage<R, E>) => {
  if (change === undefined) return Effect.void
  const written = entry.record.commit((record) => {
    const changed = change(rebase === undefined ? record : markStale(record, rebase))
    return next === undefined ? changed : withVm(changed, next)
  }, durable === true ? { durable } : {})
  return unwritten === "ignored" ? Effect.ignore(written) : written
}

/** Puts the old generation back, and ends the next one with all its resources. */
const undo = <R, E>(lifecycle: Lifecycle, { old, scope, transition: { entry, detached, undone } }: Passage<R, E>) =>
  Effect.all([
    undone ?? Effect.void,
    Option.isSome(old) && detached === undefined ? install(lifecycle, entry, old.value) : Effect.void,
    scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  ], { discard: true })

const reportToResidents = <R, E>(
  { next, rebase, transition: { adopts, entry, event, lose, rest, wakesAfterMs } }: Passage<R, E>
) =>
  Effect.gen(function*() {
    const opened = yield* openResidentsOf(entry)
    if (Option.isSome(opened)) {
      const residents = opened.value
      if (lose !== undefined) yield* residents.lose(lose)
      if (rest !== undefined) yield* residents.rest(rest)
      if (rebase !== undefined) yield* rebaseResidents(entry, residents, rebase)
      if (wakesAfterMs !== undefined) yield* Effect.ignoreCause(residents.wakeUp(wakesAfterMs()))
      if (adopts === true && next !== undefined) {
        // Removes residents whose processes are not in the memory.
        yield* Effect.ignoreCause(residents.adopt(next, (yield* entry.record.now).residents))
      }
      if (next !== undefined) {
        yield* Effect.ignoreCause(residents.begin(next, (yield* entry.record.now).residents))
      }
    }
    if (event !== undefined) yield* recordEvent(entry.folder.directory, event)
  })

/** Removes the memory of a pause that the record does not have any more. It is moved away first: the next pause may come during the removal. */
const dropMemory = ({ transition: { entry } }: Passage<unknown, unknown>) =>
  Effect.gen(function*() {
    const { paused } = yield* entry.record.now
    if (paused !== undefined || !exists(entry.folder.paused)) return
    const aside = yield* moveToTrash(entry.folder.paused)
    yield* Effect.forkIn(removeTrashed(aside), entry.scope, { uninterruptible: true })
  }).pipe(Effect.ignoreCause)

const installNext = <R, E>(lifecycle: Lifecycle, { next, transition: { change, entry, leaves } }: Passage<R, E>) =>
  Effect.gen(function*() {
    if (next === undefined) return leaves === undefined ? undefined : yield* entry.state.show(leaves)
    if (change !== undefined) yield* touch(entry.folder)
    yield* install(lifecycle, entry, next)
  })

/** Makes a generation the current one. The workspace fails if its VM ends by itself or cannot be reached. */
export const install = (
  lifecycle: Lifecycle,
  entry: Entry,
  generation: Generation
): Effect.Effect<void, never, TransitionServices> =>
  Effect.gen(function*() {
    yield* entry.generation.install(generation)
    yield* entry.state.show("running")
    // A point of the new VM is due, also if nothing uses the workspace.
    entry.uses.onUsed()
    yield* watch(entry, generation, (failure) =>
      entry.generation.detachIf(generation).pipe(
        Effect.flatMap((isCurrent) =>
          isCurrent ? Effect.asVoid(transit(lifecycle, death(entry, generation, failure))) : Effect.void
        ),
        Effect.ignoreCause,
        Effect.uninterruptible,
        Effect.forkIn(lifecycle.scope)
      ))
  })
