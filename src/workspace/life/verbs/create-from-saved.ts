import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { CreatePayload } from "../../../contract/rows/workspace-lifecycle.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"
import type { ReservedVm } from "../../../lib/vm/model/guest.ts"
import { Vmm } from "../../../lib/vm/Vmm.ts"
import { linkTree } from "../../../system/files/link-tree.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { discardFolder, generationScope, type Lifecycle, type Notify, progress } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { virtualBytesOf, type WorkspaceRecord, writeWorkspace } from "../../entry/record.ts"
import { noStates } from "../../entry/resident.ts"
import { writeFirstItems } from "../../residents/header-secret/header-secrets.ts"
import { type Granted, nothingGranted } from "../../residents/policy/policy.ts"
import { readSecrets, writeSecrets } from "../../residents/secret/secret-file.ts"
import { initialSecrets } from "../../residents/secret/workspace-secrets.ts"
import type { Transition } from "../engine/description.ts"
import { transit } from "../engine/transition.ts"
import { linkBase, linkedBase } from "../guest/base.ts"
import { reportWarnings } from "../guest/notices.ts"
import { findSaved, type Saved, type SavedRecord, seedOfSaved } from "../records/saved.ts"
import { captureFolder } from "../records/snapshot.ts"
import { demandUnopposed } from "../saved/unopposed.ts"
import { demandLoadable, reserve } from "../snapshot/restore.ts"
import { buildFork, type ForkServices } from "./fork.ts"
import { enterNew, forget, makeFolder, recordLoan, recordOfNew } from "./new-workspace.ts"

/** The record that announces the workspace: the snapshot's machine and files, the request's names and grants. */
const announced = (
  lifecycle: Lifecycle,
  { hasNetwork, workspace }: Pick<SavedRecord, "hasNetwork" | "workspace">,
  payload: CreatePayload,
  network: Granted | undefined
) =>
  Effect.gen(function*() {
    const { cwd, env, pauseAfterSeconds, project, requireConfinement, ...same } = workspace
    const caller = yield* callerProject
    const own = yield* recordOfNew(lifecycle, payload, {
      defaults: { env: { ...env, ...payload.env }, cwd: payload.cwd ?? cwd },
      // The memory may have a network that is on.
      granted: network ?? (hasNetwork ? nothingGranted : undefined),
      project: caller?.project ?? project,
      origin: { pauseAfterSeconds, requireConfinement }
    })
    const record: WorkspaceRecord = { ...same, ...own }
    return record
  })

/** Makes folder, record, images and secrets, the record first. */
const announce = (entry: Entry, saved: Saved, payload: CreatePayload) =>
  Effect.gen(function*() {
    yield* makeFolder(entry.folder)
    yield* writeWorkspace(entry.folder, yield* entry.record.now, { flush: false })
    yield* linkBase(entry.folder.base, yield* linkedBase(saved.folder.base))
    yield* writeFirstItems(entry.folder.directory, payload.secretHttp)
    faultPoint("create-from:announced")
  })

/** Second names of the snapshot's files, so that it can be deleted meanwhile, with the secrets of the request. */
const stage = (lifecycle: Lifecycle, entry: Entry, found: Saved, payload: CreatePayload) =>
  Effect.gen(function*() {
    const folder = captureFolder(entry.folder.staged)
    const linked = Effect.gen(function*() {
      // A deletion may have come first, and another snapshot with this name.
      const saved = yield* findSaved(found.record.name)
      if (saved.record.id !== found.record.id) return yield* changed
      const { memory } = saved.record.captured
      if (memory !== undefined && payload.diskOnly !== true) {
        // In the snapshot's own folder, so that the next create has the same file.
        yield* Effect.flatMap(Vmm, (vmm) => vmm.on(memory.spec.driver).prepareMemory(saved.folder.frozen.memoryPath))
      }
      yield* linkTree(saved.folder.directory, folder.directory)
    })
    yield* lifecycle.registry.savedLock.withPermits(1)(linked)
    const { former } = yield* readSecrets(folder.directory)
    const { secrets } = initialSecrets(payload)
    yield* writeSecrets(folder.directory, { secrets, former })
    faultPoint("create-from:staged")
    return folder
  }).pipe(asStep("stage"))

const changed = new InvalidRequest({
  field: "from_snapshot",
  detail: "the saved snapshot was replaced by another one meanwhile; repeat the request"
})

/** Why the first VM of a workspace of a saved snapshot is not made. */
type FromSavedFailure = Effect.Error<
  | ReturnType<typeof announce | typeof buildFork | typeof linkedBase | typeof reserve | typeof stage>
  | ReturnType<ReservedVm["fill"]>
>

/** The first VM: with the memory of the snapshot, or on its disk. */
const creating = (
  lifecycle: Lifecycle,
  entry: Entry,
  saved: Saved,
  payload: CreatePayload,
  notify: Notify
): Effect.Effect<Transition<ForkServices, FromSavedFailure>> =>
  Effect.map(generationScope(entry), (scope) => ({
    name: "create-from",
    entry,
    scope,
    build: () =>
      Effect.gen(function*() {
        yield* announce(entry, saved, payload)
        yield* progress(notify, "linking the saved snapshot", 0.2)
        const folder = yield* stage(lifecycle, entry, saved, payload)
        const { memory, ...files } = saved.record.captured
        if (memory === undefined || payload.diskOnly === true) {
          const captured = { ...files, residents: noStates }
          return yield* buildFork(lifecycle, { folder, captured, vms: [] }, entry, undefined, notify)
        }
        const record = yield* entry.record.now
        const images = yield* linkedBase(entry.folder.base)
        const seed = { path: `${folder.disk}/seed.ext4`, virtualBytes: virtualBytesOf(record) }
        const vms = yield* reserve(memory.spec, [{ record, images, seed, scope }])
        yield* progress(notify, "starting the workspace", 0.5)
        yield* vms[0]!.fill(folder.frozen.memoryPath)
        return yield* buildFork(lifecycle, { folder, captured: saved.record.captured, vms }, entry, vms[0], notify)
      }),
    change: (record) => record,
    adopts: true,
    event: { _tag: "created", environment: saved.record.workspace.environment.name, snapshot: saved.record.name }
  }))

/**
 * Creates a workspace from a saved snapshot, and gives its entry. It has the snapshot's processes and files, and nothing of the workspace
 * that was saved beside them: no secret, no host of one, no network grant, no label.
 */
export const createFrom = (
  lifecycle: Lifecycle,
  name: string,
  payload: CreatePayload,
  network: Granted | undefined,
  notify: Notify
) =>
  Effect.gen(function*() {
    const saved = yield* findSaved(name)
    const { workspace } = saved.record
    yield* demandUnopposed(workspace, payload)
    if (payload.diskOnly !== true) {
      yield* demandLoadable(saved, yield* linkedBase(saved.folder.base), seedOfSaved(saved))
    }
    const record = yield* announced(lifecycle, saved.record, payload, network)
    const entry = yield* enterNew(lifecycle, payload, record, record)
    const made = Effect.gen(function*() {
      yield* transit(lifecycle, yield* creating(lifecycle, entry, saved, payload, notify))
      yield* recordLoan(entry)
      yield* Effect.forkIn(discardFolder(entry.folder.staged), lifecycle.scope, { uninterruptible: true })
      yield* reportWarnings(entry, notify)
      return entry
    })
    return yield* made.pipe(
      entry.lifecycleLock.hold,
      Effect.onError(() => Effect.ignoreCause(forget(lifecycle, entry)))
    )
  }).pipe(Effect.uninterruptible)
