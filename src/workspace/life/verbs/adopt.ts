import { Deferred, Effect, Fiber, Option, Result, Scope } from "effect"
import * as path from "node:path"
import { type PyroError, VmFailed } from "../../../contract/errors/errors.ts"
import type { VmmError } from "../../../lib/vm/model/guest.ts"
import type { VmId } from "../../../lib/vm/model/record.ts"
import { endVmIfDead, sweepVms, sweepWorkspaceVms } from "../../../lib/vm/model/sweep.ts"
import { sweepTemplates } from "../../../lib/vm/model/templates.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { ensureFolder, listFolder } from "../../../system/files/entries.ts"
import { toHostError } from "../../../system/files/failure.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { type Lifecycle, removeFolder } from "../../entry/context.ts"
import { damagedBy, vmsOnDisksOf } from "../../entry/damaged.ts"
import { type Entry, makeEntry, nameNow } from "../../entry/entry.ts"
import { readEvents, recordEvent, type WorkspaceLogEvent } from "../../entry/events.ts"
import { isUnfinished, workspacesDirectory } from "../../entry/record.ts"
import type { Residents } from "../../entry/resident-list.ts"
import { isGuestLost, type ResidentFailure } from "../../entry/resident.ts"
import { troubleText } from "../../entry/standstill.ts"
import { openResidents } from "../../residents/open/open.ts"
import { recordedGrant } from "../../residents/policy/policy.ts"
import { defaultsOf } from "../../residents/program/command-defaults.ts"
import { loanSourceOf } from "../../residents/ssh/loan-source.ts"
import { diedOf, type Transition } from "../engine/description.ts"
import { endedBy } from "../engine/ended.ts"
import { announcedRebase, rebaseResidents } from "../engine/rebase.ts"
import { emptyTrash, sweepSaved } from "../engine/sweep.ts"
import { transit } from "../engine/transition.ts"
import { sweepPoints } from "../records/point.ts"
import { readWorkspaces } from "../records/recorded.ts"
import { removeUnused } from "../snapshot/hidden.ts"
import { adoptSnapshots } from "../snapshot/keep.ts"
import { adoptSaved } from "./keep-saved.ts"
import { forget } from "./new-workspace.ts"
import { restReason, wakeForClient } from "./pause.ts"

/** Many at a time: a silent guest takes its whole deadline, and others would wait. */
const ADOPTED_AT_ONCE = 32

/** How long a starting daemon's other workspaces wait for a silent guest, in `ms`. The guest is adopted later. */
const ADOPT_WAIT_MS = 10_000 * deadlineScale

/**
 * Adopts the workspaces of an earlier process after any kind of end. Removes half-made and half-deleted workspaces, ends VMs
 * without a record, attaches to running VMs and their commands, and keeps the disks of all others.
 */
export const adoptAll = (lifecycle: Lifecycle) =>
  Effect.gen(function*() {
    const { stateDir } = yield* Paths
    const root = workspacesDirectory(stateDir)
    yield* Effect.mapError(ensureFolder(root), toHostError)
    const found: Array<Entry> = []
    for (const { folder, id, record: read } of yield* readWorkspaces) {
      if (Result.isFailure(read)) {
        // The disk may hold work that another version, or a person, can still save.
        yield* Effect.logWarning(`left alone, its record is damaged: ${read.failure.message}`)
        lifecycle.registry.damaged.set(id, damagedBy(read.failure, { folder, id }))
        continue
      }
      const record = read.success
      // Nothing but the folder was made.
      if (Option.isNone(record)) {
        yield* removeFolder(folder.directory)
      } else found.push(yield* makeEntry(lifecycle, folder, record.value))
    }
    yield* keepNamesApart(found)
    const counted = new Set<VmId>(
      yield* vmsOnDisksOf([...lifecycle.registry.damaged.values()].map(({ folder }) => folder))
    )
    for (const entry of found) {
      const record = yield* entry.record.now
      if (record.phase === "running" && record.vm !== undefined && !isUnfinished(record)) counted.add(record.vm)
    }
    // First: no disk may have two writers.
    yield* sweepWorkspaceVms(counted)
    // Members of the pool and half-made VMs and templates of the process before.
    yield* sweepVms
    yield* sweepTemplates
    yield* sweepSaved
    yield* adoptSaved(lifecycle)
    yield* Effect.forkIn(emptyTrash, lifecycle.scope)
    yield* Effect.forEach(found, (entry) => adoptOne(lifecycle, entry), { concurrency: ADOPTED_AT_ONCE, discard: true })
  })

/** If two workspaces have one name after the repair of a record, the older one keeps it. */
const keepNamesApart = (found: ReadonlyArray<Entry>) =>
  Effect.gen(function*() {
    const records = yield* Effect.forEach(
      found,
      (entry) => Effect.map(entry.record.now, (record) => ({ entry, record }))
    )
    const known = new Map<string, string>()
    for (
      const { entry, record } of records.toSorted((a, b) => a.record.createdAt.localeCompare(b.record.createdAt))
    ) {
      const { id, name } = record
      if (name === undefined || isUnfinished(record)) continue
      const other = known.get(name)
      if (other === undefined) known.set(name, id)
      else {
        yield* Effect.logWarning(`${id} has no name any more: ${other} is called ${name} too`)
        yield* Effect.ignoreCause(entry.record.commit(({ name: _, ...rest }) => rest))
      }
    }
  })

/**
 * An error of one workspace does not keep others from adoption. Adoption does not wait for a stopped or silent guest, and attaches
 * when the guest answers.
 */
const adoptOne = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    const still = yield* Deferred.make<void>()
    const adopted = yield* adopt(lifecycle, entry, Deferred.succeed(still, undefined)).pipe(
      Effect.catchDefect((defect) =>
        Effect.andThen(
          Effect.logError(`${entry.id} cannot be taken up`, defect),
          entry.state.show("failed", `it could not be taken up: ${String(defect)}`)
        )
      ),
      Effect.forkIn(lifecycle.scope)
    )
    const slow = entry.state.explain("starting", "its guest has not answered yet")
    yield* Effect.raceFirst(Fiber.await(adopted), Deferred.await(still)).pipe(
      Effect.timeoutOrElse({ duration: ADOPT_WAIT_MS, orElse: () => slow })
    )
  })

/** Why the residents of a VM that this process cannot attach to are lost. */
const notAttached = ({ fact }: ResidentFailure | VmmError) =>
  new VmFailed({ step: "adopt", detail: fact, consoleTail: "" })

/** Attaches to the VM that the record names, and adopts its residents. */
const attaching = (
  entry: Entry,
  vm: VmId,
  residents: Residents,
  onStill: Effect.Effect<unknown>
): Transition<Vmm, ResidentFailure | VmmError> => ({
  name: "adopt",
  entry,
  attaches: true,
  build: () =>
    Effect.gen(function*() {
      // A guest could name any number of other processes, each with a window of output without a reader.
      const guest = yield* Effect.flatMap(Vmm, (vmm) => vmm.attach(vm, { keep: residents.owns, onStill }))
      // An interrupted capture has left the guest's programs stopped.
      yield* Effect.ignoreCause(guest.channel.chain(guest.vm.steps.startPrograms))
      const { residents: kept } = yield* entry.record.now
      yield* residents.adopt({ guest, channel: guest.channel, scope: yield* Effect.scope }, kept)
      return guest
    })
})

const adopt = (lifecycle: Lifecycle, entry: Entry, standsStill: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    if (isUnfinished(record)) return yield* forget(lifecycle, entry)
    lifecycle.registry.entries.set(entry.id, entry)
    yield* removeLeftoverDisks(entry)
    yield* adoptSnapshots(entry)
    yield* sweepPoints(entry.folder)
    const residents = yield* Scope.provide(
      openResidents(
        entry.folder,
        recordedGrant(record),
        defaultsOf(entry),
        loanSourceOf(entry),
        () => nameNow(entry),
        yield* wakeForClient(lifecycle, entry)
      ),
      entry.scope
    )
    const rebase = yield* announcedRebase(entry, record)
    if (rebase !== undefined) {
      yield* rebaseResidents(entry, residents, rebase)
      yield* removeUnused(entry)
    }
    yield* entry.residents.hold(residents)
    const { paused, vm } = record
    if (paused !== undefined) return yield* adoptPaused(entry, residents)
    // A pause or a resume was interrupted.
    yield* removeFolder(entry.folder.paused)
    if (record.phase === "stopped" || vm === undefined) {
      yield* completeStop(entry, residents)
      return yield* entry.state.show("stopped")
    }
    yield* entry.state.show("starting")
    const onStill = Effect.andThen(
      entry.state.show("starting", troubleText("no-space")),
      standsStill
    )
    yield* Effect.catch(transit(lifecycle, attaching(entry, vm, residents, onStill)), (failure) =>
      // A stop, reset or deletion has ended the VM while its guest stood still.
      Effect.flatMap(entry.record.now, (now) =>
        now.vm !== vm || now.phase !== "running" ? Effect.void : Effect.all([
          Effect.ignoreCause(endVmIfDead(vm)),
          residents.lose(isGuestLost(failure) ? failure : notAttached(failure)),
          fail(entry, failure)
        ], { discard: true })))
  })

/**
 * A process that died after the record of a stop has reported it neither to the residents nor to the event log. A repetition is harmless.
 */
const completeStop = (entry: Entry, residents: Residents) =>
  Effect.gen(function*() {
    yield* residents.lose(endedBy("stop"))
    const { directory } = entry.folder
    const last = (yield* readEvents(directory)).findLast(({ _tag }) => LIFE.has(_tag))
    if (last !== undefined && last._tag !== "stopped") yield* recordEvent(directory, { _tag: "stopped" })
  })

/** The residents rest. A process that died after the record of a pause has not reported it to the event log. */
const adoptPaused = (entry: Entry, residents: Residents) =>
  Effect.gen(function*() {
    yield* residents.rest(yield* restReason(entry))
    const { directory } = entry.folder
    const last = (yield* readEvents(directory)).findLast(({ _tag }) => LIFE.has(_tag))
    if (last?._tag !== "paused") yield* recordEvent(directory, { _tag: "paused" })
    yield* entry.state.show("paused")
  })

/** Events of the beginning and the end of a VM. */
const LIFE: ReadonlySet<WorkspaceLogEvent["_tag"]> = new Set([
  "created",
  "died",
  "forked",
  "paused",
  "reset",
  "resumed",
  "started",
  "stopped"
])

/**
 * Each process that finds the VM dead comes here. The log gets the death once, and the first process removes the VM: a later process takes the reason
 * from the log.
 */
const fail = (entry: Entry, failure: PyroError) =>
  Effect.gen(function*() {
    const { directory } = entry.folder
    const last = (yield* readEvents(directory)).findLast(({ _tag }) => LIFE.has(_tag))
    if (last?._tag === "died") return yield* entry.state.fail(last.detail)
    yield* entry.state.fail(failure.fact)
    yield* recordEvent(directory, diedOf(failure))
  })

/** Removes the folders of disks that no record names: leftovers of a crash between their making and their record. */
const removeLeftoverDisks = (entry: Entry) =>
  Effect.gen(function*() {
    const { disk } = yield* entry.record.now
    const { directory } = entry.folder
    const names = yield* Effect.mapError(listFolder(directory), toHostError)
    const leftovers = names.filter((name) => /^disk-\d+$/.test(name) && name !== `disk-${disk}`)
    yield* Effect.forEach(leftovers, (name) => removeFolder(path.join(directory, name)), { discard: true })
  })
