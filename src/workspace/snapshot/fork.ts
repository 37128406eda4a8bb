import { Effect, Option, Ref, Scope } from "effect"
import { AdmissionRefused, memoryStore, NoSpace, type PyroError } from "../../contract/errors.ts"
import type { Notice } from "../../contract/notice.ts"
import type { ForkPayload } from "../../contract/operations/workspace-fork.ts"
import { faultPoint } from "../../system/fault.ts"
import { Paths } from "../../system/Paths.ts"
import { nowIso, nowMs } from "../../system/time.ts"
import { heldBase, holdBase } from "../../vm/template/base.ts"
import { recordEvent } from "../events.ts"
import {
  close,
  commit,
  install,
  type Lifecycle,
  type LifecycleServices,
  type Notify,
  progress,
  removeFolder,
  unlessDeleted
} from "../lifecycle/context.ts"
import { forget, makeFolder } from "../lifecycle/create.ts"
import { residentsOf } from "../lifecycle/entry-residents.ts"
import { type Entry, makeEntry } from "../lifecycle/entry.ts"
import type { Generation } from "../lifecycle/generation.ts"
import { folderOf, newWorkspaceId, touch, type WorkspaceRecord, writeWorkspace } from "../lifecycle/record.ts"
import { generationOn } from "../lifecycle/steps.ts"
import { openResidents } from "../residents/open.ts"
import { noStates } from "../residents/states.ts"
import { copyPushed } from "../seed/pushed.ts"
import { forkNames } from "./fork-names.ts"
import { stage, type Staged } from "./fork-stage.ts"
import { goOn, makeDisk, release, type Reserved } from "./restore.ts"

/** How many VMs are started side by side. */
const startsAtOnce = 2

const announced = (
  source: WorkspaceRecord,
  { createdAt, name, snapshot }: {
    readonly createdAt: string
    readonly name: string | undefined
    readonly snapshot: string | undefined
  }
): WorkspaceRecord => {
  const { name: _, residents: _residents, restoredFrom: _restored, staleResidents: _stale, vm: _vm, ...same } = source
  return {
    ...same,
    id: newWorkspaceId(),
    phase: "creating",
    ...(name === undefined ? {} : { name }),
    generation: 1,
    disk: 0,
    residents: noStates,
    forkedFrom: { workspace: source.id, ...(snapshot === undefined ? {} : { snapshot }) },
    createdAt
  }
}

/** Their folders and records, before anything else of them; nobody else can take their names. */
const announce = (lifecycle: Lifecycle, source: Entry, payload: ForkPayload) =>
  Effect.gen(function*() {
    const { stateDir } = yield* Paths
    const record = yield* Ref.get(source.record)
    const children: Array<Entry> = []
    yield* Effect.gen(function*() {
      for (const name of yield* forkNames(lifecycle.registry, record, payload)) {
        const own = announced(record, { createdAt: yield* nowIso, name, snapshot: payload.snapshot })
        yield* lifecycle.registry.checkName(name, own.id)
        const child = yield* makeEntry(lifecycle, folderOf(stateDir, own.id), own)
        lifecycle.registry.entries.set(own.id, child)
        children.push(child)
        yield* makeFolder(child.folder)
        yield* writeWorkspace(child.folder, own)
        yield* holdBase(child.folder.base, yield* heldBase(source.folder.base))
      }
    }).pipe(Effect.onError(() => forgetAll(lifecycle, children)))
    faultPoint("fork:announced")
    return children
  })

const forgetAll = (lifecycle: Lifecycle, children: ReadonlyArray<Entry>) =>
  Effect.forEach(children, (child) => forget(lifecycle, child), { discard: true })

/** A fork that runs, and that nobody knows of yet. */
interface Begun {
  readonly child: Entry
  readonly generation: Generation
}

const begin = (
  lifecycle: Lifecycle,
  { folder, taken }: Staged,
  child: Entry,
  vm: Reserved | undefined,
  notify: Notify
) =>
  Effect.gen(function*() {
    const record = yield* Ref.get(child.record)
    const disk = child.folder.disk(record.disk)
    yield* makeDisk(folder, taken, disk, record)
    yield* copyPushed(folder.directory, child.folder.directory)
    const residents = yield* Scope.extend(openResidents(child.folder), child.scope)
    yield* residents.inherit(taken.residents, { folder: folder.logs, sinceMs: (yield* nowMs) - taken.takenAtMs })
    yield* Ref.set(child.residents, Option.some(residents))
    return vm === undefined
      ? yield* generationOn(lifecycle, child, record, notify)
      : yield* goOn(vm, folder.frozen.statePath, record, disk)
  })

/** Forks with their files alone are let in one by one: those that were tell how many fit. */
const withFitting = (failure: PyroError, wanted: number, fits: number): PyroError => {
  if (wanted === 1) return failure
  if (failure._tag === "AdmissionRefused") return new AdmissionRefused({ fits, ...failure })
  return failure._tag === "NoSpace" && failure.where === memoryStore ? new NoSpace({ fits, ...failure }) : failure
}

/** Makes all forks; when one cannot be made none stays. */
const beginAll = (lifecycle: Lifecycle, staged: Staged, children: ReadonlyArray<Entry>, notify: Notify) =>
  Effect.gen(function*() {
    const begun: Array<Begun> = []
    yield* Effect.gen(function*() {
      yield* Effect.interruptible(Effect.forEach(
        children,
        (child, index) =>
          Effect.map(begin(lifecycle, staged, child, staged.vms[index], notify), (generation) => {
            begun.push({ child, generation })
          }),
        { concurrency: startsAtOnce, discard: true }
      )).pipe(Effect.mapError((failure) => withFitting(failure, children.length, begun.length)))
      faultPoint("fork:started")
      for (const { child, generation } of begun) {
        yield* commit(child, (now) => ({ ...now, phase: "running", vm: generation.guest.vm.id }))
      }
    }).pipe(
      Effect.onError(() =>
        Effect.zipRight(
          Effect.forEach(begun, ({ generation }) => close(generation), { discard: true }),
          release(staged.vms)
        )
      )
    )
    return begun
  })

const filesAlone: Notice = {
  _tag: "Notice",
  level: "warning",
  message: "there was no memory to go on from: it has the files alone, and nothing runs in it"
}

/**
 * Makes further workspaces that go on from where one is, or one of its snapshots was. All of them, or none: they are let in together, and
 * when one fails nothing of any stays.
 */
export const fork = (
  lifecycle: Lifecycle,
  source: Entry,
  payload: ForkPayload,
  notify: Notify
): Effect.Effect<ReadonlyArray<Entry>, PyroError, LifecycleServices> =>
  Effect.gen(function*() {
    const children = yield* announce(lifecycle, source, payload)
    const made = Effect.gen(function*() {
      yield* progress(notify, "copying the workspace", 0.2)
      const staged = yield* stage(lifecycle, source, payload, children)
      faultPoint("fork:staged")
      if (staged.vms.length === 0 && !payload.diskOnly) notify(filesAlone)
      yield* progress(notify, children.length === 1 ? "starting the fork" : "starting the forks", 0.5)
      const begun = yield* beginAll(lifecycle, staged, children, notify)
      faultPoint("fork:committed")
      yield* tell(source, children, payload.snapshot)
      for (const { child, generation } of begun) {
        const residents = yield* residentsOf(child, "workspace.fork")
        const { channel, scope } = generation
        yield* Effect.ignoreLogged(residents.adopt({ channel, scope }, (yield* Ref.get(child.record)).residents))
        yield* touch(child.folder)
        yield* install(lifecycle, child, generation)
      }
      yield* Effect.forkIn(removeFolder(staged.folder.directory), lifecycle.scope)
      return children
    })
    const held = children.reduce((work, child) => child.one.withPermits(1)(work), made)
    return yield* Effect.onError(held, () => forgetAll(lifecycle, children))
  }).pipe(unlessDeleted(lifecycle, source), Effect.uninterruptible)

const tell = (source: Entry, children: ReadonlyArray<Entry>, snapshot: string | undefined) =>
  Effect.gen(function*() {
    const of = snapshot === undefined ? {} : { snapshot }
    yield* recordEvent(source.folder.directory, { _tag: "fork", to: children.map(({ id }) => id), ...of })
    for (const child of children) {
      yield* recordEvent(child.folder.directory, { _tag: "forked", from: source.id, ...of })
    }
  })
