import { Effect, Scope } from "effect"
import { AdmissionRefused, memoryStore, NoSpace, type PyroError } from "../../../contract/errors/errors.ts"
import type { Notice } from "../../../contract/rows/notice.ts"
import type { ForkPayload } from "../../../contract/rows/workspace-fork.ts"
import { copyPushed } from "../../../lib/seeding/model/pushed.ts"
import type { ReservedVm } from "../../../lib/vm/model/guest.ts"
import type { SharedMemory } from "../../../lib/vm/model/Vm.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowIso, nowMs } from "../../../system/waits/time.ts"
import {
  discardFolder,
  generationScope,
  type Lifecycle,
  type Notify,
  progress,
  unlessDeleted
} from "../../entry/context.ts"
import { type Entry, makeEntry, nameNow } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import { withoutAnnouncement } from "../../entry/interrupted.ts"
import { demandQuota } from "../../entry/quota.ts"
import { folderOf, type WorkspaceId, type WorkspaceRecord, writeWorkspace } from "../../entry/record.ts"
import { newIds } from "../../entry/registry.ts"
import { openResidents, type ResidentServices } from "../../residents/open/open.ts"
import { policyStates, recordedGrant } from "../../residents/policy/policy.ts"
import { defaultsOf } from "../../residents/program/command-defaults.ts"
import { copyHeaderSecrets, removeHeaderSecrets } from "../../residents/secret/header-secret-file.ts"
import { copySecrets, removeSecrets } from "../../residents/secret/secret-file.ts"
import { loanSourceOf } from "../../residents/ssh/loan-source.ts"
import type { Transition } from "../engine/description.ts"
import { transitAll } from "../engine/transition.ts"
import { linkBase, linkedBase } from "../guest/base.ts"
import { guestOn, type GuestServices } from "../guest/generation.ts"
import { makeDisk, type MemoryServices, restoreAs } from "../snapshot/restore.ts"
import { type Child, forkNames, stage, type Staged } from "./fork-stage.ts"
import { forget, makeFolder } from "./new-workspace.ts"
import { wakeForClient } from "./pause.ts"

const announced = (
  source: WorkspaceRecord,
  { createdAt, id, name, snapshot, tryOf }: {
    readonly id: WorkspaceId
    readonly createdAt: string
    readonly name: string | undefined
    readonly snapshot: string | undefined
    readonly tryOf: string | undefined
  }
): WorkspaceRecord => {
  const {
    name: _,
    result: _result,
    sshAgent: _agent,
    undone: _undone,
    vm: _vm,
    ...same
  } = withoutAnnouncement(source)
  const { pauseAfterSeconds: _pause, ttlSeconds: _ttl, ...forever } = same
  return {
    // A candidate lives as long as its try.
    ...(tryOf === undefined ? same : { ...forever, tryOf }),
    id,
    phase: "creating",
    ...(name === undefined ? {} : { name }),
    generation: 1,
    disk: 0,
    residents: policyStates(source.residents),
    forkedFrom: { workspace: source.id, ...(snapshot === undefined ? {} : { snapshot }) },
    createdAt
  }
}

/** Makes folders and records before all other parts of the forks. From then on their names are in use. */
const announce = (lifecycle: Lifecycle, source: Entry, payload: ForkPayload, tryOf: string | undefined) =>
  Effect.gen(function*() {
    const { stateDir } = yield* Paths
    const record = yield* source.record.now
    const children: Array<Child> = []
    yield* Effect.gen(function*() {
      const names = tryOf === undefined ? yield* forkNames(lifecycle.registry, record, payload) : [undefined]
      const ids = yield* newIds(lifecycle.registry, names.length)
      for (const [index, name] of names.entries()) {
        const own = announced(record, {
          id: ids[index]!,
          createdAt: yield* nowIso,
          name,
          snapshot: payload.snapshot,
          tryOf
        })
        yield* lifecycle.registry.checkName(name, own)
        const entry = yield* makeEntry(lifecycle, folderOf(stateDir, own.id), own)
        yield* demandQuota(lifecycle.registry, own)
        lifecycle.registry.entries.set(own.id, entry)
        children.push({ entry, scope: yield* generationScope(entry) })
        yield* makeFolder(entry.folder)
        yield* writeWorkspace(entry.folder, own)
        yield* linkBase(entry.folder.base, yield* linkedBase(source.folder.base))
      }
    }).pipe(Effect.onError(() => Effect.ignoreCause(forgetAll(lifecycle, children))))
    faultPoint("fork:announced")
    return children
  })

const forgetAll = (lifecycle: Lifecycle, children: ReadonlyArray<Child>) =>
  Effect.forEach(children, ({ entry }) => forget(lifecycle, entry), { discard: true })

/** Makes disk, residents and VM of a fork. */
export const buildFork = (
  lifecycle: Lifecycle,
  { folder, captured }: Staged,
  child: Entry,
  vm: ReservedVm | undefined,
  notify: Notify
) =>
  Effect.gen(function*() {
    const record = yield* child.record.now
    const disk = child.folder.disk(record.disk)
    yield* makeDisk(folder, captured, disk, record)
    yield* copyPushed(folder.directory, child.folder.directory)
    yield* copySecrets(folder.directory, child.folder.directory)
    yield* copyHeaderSecrets(folder.directory, child.folder.directory)
    const wake = yield* wakeForClient(lifecycle, child)
    const residents = yield* Scope.provide(
      openResidents(
        child.folder,
        recordedGrant(yield* child.record.now),
        defaultsOf(child),
        loanSourceOf(child),
        () => nameNow(child),
        wake
      ),
      child.scope
    )
    yield* residents.inherit(captured.residents, { folder: folder.logs, sinceMs: (yield* nowMs) - captured.takenAtMs })
    yield* child.residents.hold(residents)
    return vm === undefined
      ? yield* guestOn(child, record, notify)
      : yield* restoreAs(vm, folder.frozen.statePath, record, disk)
  })

/** Forks of files only are admitted one by one: the number of admitted ones is the number that fits. */
const withFitting = <E extends PyroError>(
  failure: E,
  wanted: number,
  fits: number
): E | AdmissionRefused | NoSpace => {
  if (wanted === 1) return failure
  if (failure._tag === "AdmissionRefused") return new AdmissionRefused({ fits, ...failure })
  return failure._tag === "NoSpace" && failure.where === memoryStore ? new NoSpace({ fits, ...failure }) : failure
}

/** Services of a new workspace that continues from another state: its VM, on a disk or from a memory, and its residents. */
export type ForkServices = GuestServices | MemoryServices | ResidentServices

const origin = (snapshot: string | undefined) => snapshot === undefined ? {} : { snapshot }

/** The first VMs of all forks, from the staged source. */
const forking = (
  lifecycle: Lifecycle,
  source: Entry,
  children: ReadonlyArray<Child>,
  staged: Staged,
  snapshot: string | undefined,
  notify: Notify
): ReadonlyArray<Transition<ForkServices, Effect.Error<ReturnType<typeof buildFork>> | AdmissionRefused | NoSpace>> => {
  let built = 0
  return children.map(({ entry, scope }, index) => ({
    name: "fork",
    entry,
    scope,
    build: () =>
      buildFork(lifecycle, staged, entry, staged.vms[index], notify).pipe(
        Effect.mapError((failure) => withFitting(failure, children.length, built)),
        Effect.tap(Effect.sync(() => built += 1))
      ),
    change: (record) => record,
    adopts: true,
    event: { _tag: "forked", from: source.id, ...origin(snapshot) }
  }))
}

const filesAlone: Notice = {
  _tag: "Notice",
  level: "warning",
  message: "there was no memory to go on from: it has the files alone, and nothing runs in it"
}

/** Parts of a fork of a try beside its source. */
interface Candidate {
  /** The try. */
  readonly tryOf: string
  /** The memory of the source, if the candidates share it. */
  readonly shared: SharedMemory | undefined
}

/**
 * Makes workspaces that continue from a workspace's present state or from a snapshot. All or none: they are admitted together, and
 * a failure removes all of them.
 */
export const fork = (
  lifecycle: Lifecycle,
  source: Entry,
  asked: ForkPayload,
  notify: Notify,
  /** The one fork is a candidate. @default it is none */
  candidate?: Candidate
) =>
  Effect.gen(function*() {
    const { snapshot, withoutSecrets } = asked
    // Processes of the memory may know a secret.
    const payload = withoutSecrets ? { ...asked, diskOnly: true } : asked
    const { diskOnly } = payload
    const children = yield* announce(lifecycle, source, payload, candidate?.tryOf)
    const entries = children.map(({ entry }) => entry)
    const made = Effect.gen(function*() {
      yield* progress(notify, "copying the workspace", 0.2)
      const staged = yield* stage(lifecycle, source, payload, children, notify, candidate?.shared)
      if (withoutSecrets) {
        yield* removeSecrets(staged.folder.directory)
        yield* removeHeaderSecrets(staged.folder.directory)
      }
      faultPoint("fork:staged")
      // A point of the disk never has a memory, and a warning has reported a lost one.
      if (staged.vms.length === 0 && !diskOnly && payload.at === undefined) notify(filesAlone)
      yield* progress(notify, children.length === 1 ? "starting the fork" : "starting the forks", 0.5)
      yield* transitAll(lifecycle, forking(lifecycle, source, children, staged, snapshot, notify))
      const to = entries.map(({ id }) => id)
      if (candidate === undefined) {
        yield* recordEvent(source.folder.directory, { _tag: "fork", to, ...origin(snapshot) })
      }
      yield* Effect.forkIn(discardFolder(staged.folder.directory), lifecycle.scope, { uninterruptible: true })
      return entries
    }).pipe(Effect.scoped)
    const held = entries.reduce((work, { lifecycleLock }) => lifecycleLock.hold(work), made)
    return yield* Effect.onError(held, () => Effect.ignoreCause(forgetAll(lifecycle, children)))
  }).pipe(unlessDeleted(lifecycle, source), Effect.uninterruptible)
