import { Cause, Effect, Option, type Scope } from "effect"
import { type NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { named } from "../../contract/text/names.ts"
import {
  decodeState,
  encodeState,
  type GuestLost,
  type NotedAt,
  type Resident,
  type ResidentFailure,
  type ResidentKind,
  type ResidentState,
  type ResidentStates,
  type ResidentVm
} from "./resident.ts"

/** A resident, for code that does not know the type of its state. */
export interface ListedResident extends Omit<Resident<ResidentState>, "adopt" | "begin"> {
  readonly key: string
  readonly begin?: Take
  readonly adopt: Take
}

type Take = (vm: ResidentVm, kept: ResidentState | undefined) => Effect.Effect<void, ResidentFailure>

/**
 * Adapts a resident to the list. `path` is the workspace's folder, for errors. The reader of the record has already refused
 * unreadable states.
 */
export const listed = <State, Encoded>(
  kind: ResidentKind<State, Encoded>,
  path: string,
  { adopt, begin, finishNote, inherit, note, ...same }: Resident<State>
): ListedResident => {
  const decode = (stored: ResidentState) =>
    Effect.mapError(Effect.fromResult(decodeState(kind, path, stored)), (failure) =>
      new StateDirectoryUnusable({
        path,
        detail: failure._tag === "FileFailed"
          ? failure.detail
          : `a newer pyro wrote the state of its "${kind.key}", of format ${failure.format}`
      }))
  const decoded = (take: Resident<State>["adopt"]): Take => (vm, kept) =>
    kept === undefined
      ? take(vm, Option.none())
      : Effect.flatMap(decode(kept), (state) => take(vm, Option.some(state)))
  return {
    ...same,
    key: kind.key,
    adopt: decoded(adopt),
    ...(begin === undefined ? {} : { begin: decoded(begin) }),
    ...(note === undefined
      ? {}
      : { note: (folder) => Effect.map(note(folder), (state) => encodeState(kind, state)) }),
    ...(finishNote === undefined
      ? {}
      : { finishNote: (stored, folder) => Effect.flatMap(decode(stored), (state) => finishNote(state, folder)) }),
    ...(inherit === undefined
      ? {}
      : { inherit: (stored, at) => Effect.flatMap(decode(stored), (state) => inherit(state, at)) })
  }
}

/** All residents of one workspace, as one. */
export interface Residents {
  /** Tries every resident, and then fails with the first failure. `kept`: the states in the record of the workspace. */
  readonly begin: (vm: ResidentVm, kept: ResidentStates) => Effect.Effect<void, ResidentFailure>
  /** Tries every resident, and then fails with the first failure. `kept`: the states in the record of the workspace. */
  readonly adopt: (vm: ResidentVm, kept: ResidentStates) => Effect.Effect<void, ResidentFailure>
  readonly lose: (reason: GuestLost) => Effect.Effect<void>
  readonly rest: (reason: GuestLost) => Effect.Effect<void>
  /** Tries every resident, and then fails with the first failure. */
  readonly wakeUp: (sinceMs: number) => Effect.Effect<void, ResidentFailure>
  /** Makes a capture while all residents are paused. */
  readonly quiesced: <A, E, R>(capture: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Scope.Scope>>
  /** Fails with the first failing resident: the capture must then be discarded. */
  readonly note: (folder: string) => Effect.Effect<ResidentStates, NoSpace | StateDirectoryUnusable>
  readonly finishNote: (noted: ResidentStates, folder: string) => Effect.Effect<void, ResidentFailure>
  /** Tries every resident with a recorded state, and then fails with the first failure. */
  readonly inherit: (noted: ResidentStates, at: NotedAt) => Effect.Effect<void, ResidentFailure>
  /** Tries every resident, and then fails with the first failure. */
  readonly clear: Effect.Effect<void, ResidentFailure>
  /** The same, for residents that are no history. */
  readonly clearPresent: Effect.Effect<void, ResidentFailure>
  readonly takeWarnings: Effect.Effect<ReadonlyArray<string>>
  readonly owns: (processId: string) => boolean
  readonly isBusy: Effect.Effect<boolean>
  readonly describe: Effect.Effect<Partial<WorkspaceInfo>>
}

/** A resident's defect is a failure of that resident alone. */
const contained = (step: string, resident: ListedResident, work: Effect.Effect<void, ResidentFailure>) =>
  Effect.catchDefect(work, (defect) =>
    Effect.andThen(
      Effect.logError(`${resident.key} cannot ${step}`, Cause.die(defect)),
      new StateDirectoryUnusable({ path: resident.key, detail: String(defect) })
    ))

/** A resident may depend on earlier ones in the list: the list adopts residents in its order and ends them in the reverse order. */
export const makeResidents = (all: ReadonlyArray<ListedResident>): Residents => {
  const reversed = all.toReversed()

  /** One after the other. A failure does not stop the others. */
  const each = (
    step: string,
    residents: ReadonlyArray<ListedResident>,
    work: (resident: ListedResident) => Effect.Effect<void, ResidentFailure>
  ) =>
    Effect.flatMap(
      Effect.forEach(residents, (one) => Effect.result(contained(step, one, work(one)))),
      Effect.forEach(Effect.fromResult, { discard: true })
    )

  /** The residents that have a state in the record. */
  const eachOf = (
    step: string,
    states: ResidentStates,
    work: (resident: ListedResident, state: ResidentState) => Effect.Effect<void, ResidentFailure>
  ) =>
    each(step, all, (one) => {
      const state = states[one.key]
      return state === undefined ? Effect.void : work(one, state)
    })

  const pauseAll: Effect.Effect<void, never, Scope.Scope> = Effect.forEach(
    reversed,
    ({ key, quiesce }) =>
      Effect.catchDefect(
        quiesce ?? Effect.void,
        (defect) => Effect.logError(`${key} cannot stand still for a capture`, Cause.die(defect))
      ),
    { discard: true }
  )

  return {
    begin: (vm, kept) => each("begin", all, (one) => one.begin?.(vm, kept[one.key]) ?? Effect.void),
    adopt: (vm, kept) => each("be taken up", all, (one) => one.adopt(vm, kept[one.key])),
    lose: (reason) => Effect.ignore(each("be ended", reversed, (one) => one.lose(reason))),
    rest: (reason) => Effect.ignore(each("rest", reversed, (one) => one.rest?.(reason) ?? Effect.void)),
    wakeUp: (sinceMs) => each("go on", all, (one) => one.wakeUp?.(sinceMs) ?? Effect.void),
    quiesced: (capture) => Effect.scoped(Effect.andThen(pauseAll, capture)),
    note: (folder) =>
      Effect.map(
        Effect.forEach(all, ({ key, note }) =>
          note === undefined ? Effect.succeed([]) : Effect.map(note(folder), (state) => [[key, state] as const])),
        (states) =>
          named(states.flat())
      ),
    finishNote: (noted, folder) =>
      eachOf("be noted down", noted, (one, state) => one.finishNote?.(state, folder) ?? Effect.void),
    inherit: (noted, at) => eachOf("be inherited", noted, (one, state) => one.inherit?.(state, at) ?? Effect.void),
    clear: each("be cleared", reversed, ({ clear }) => clear),
    clearPresent: each("be cleared", reversed.filter(({ isHistory }) => isHistory !== true), ({ clear }) => clear),
    takeWarnings: Effect.map(
      Effect.forEach(all, ({ takeWarnings }) => takeWarnings ?? Effect.succeed([])),
      (warnings) => warnings.flat()
    ),
    owns: (processId) => all.some(({ owns }) => owns?.(processId) === true),
    isBusy: Effect.map(
      Effect.forEach(all, ({ isBusy }) => isBusy ?? Effect.succeed(false)),
      (busy) => busy.includes(true)
    ),
    describe: Effect.map(
      Effect.forEach(all, ({ describe }) => describe ?? Effect.succeed({})),
      (said) => Object.assign({}, ...said) as Partial<WorkspaceInfo>
    )
  }
}
