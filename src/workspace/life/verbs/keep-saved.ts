import { Effect, type Option } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { SavedExists, SavedNotFound } from "../../../contract/errors/errors.ts"
import type { SavePayload } from "../../../contract/rows/saved.ts"
import { demandPlain } from "../../../lib/redaction/redact.ts"
import { syncFile } from "../../../system/files/atomic-file.ts"
import { ensureFolder, exists, renameFile } from "../../../system/files/entries.ts"
import { attempt, toHostErrorOf } from "../../../system/files/failure.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowIso } from "../../../system/waits/time.ts"
import { touch } from "../../entry/activity.ts"
import { discardFolder, type Lifecycle, type Notify, progress } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import { guardOf } from "../../residents/open/entry-residents.ts"
import { removeHeaderSecrets } from "../../residents/secret/header-secret-file.ts"
import { readSecrets, writeSecrets } from "../../residents/secret/secret-file.ts"
import { linkBase, linkedBase } from "../guest/base.ts"
import { savedDirectory } from "../records/recorded.ts"
import {
  announced,
  folderCalled,
  isWithinReach,
  readAllSaved,
  readSaved,
  type Saved,
  type SavedFolder,
  savedFolder,
  savedInfo,
  writeSaved
} from "../records/saved.ts"
import { capture } from "../snapshot/capture.ts"
import { filesBeneath } from "../snapshot/keep.ts"

/** A folder without a name, for a snapshot that is half made or half removed. The next daemon and `pyro gc` remove it. */
export const namelessFolder = Effect.map(
  Paths,
  ({ stateDir }) => savedFolder(path.join(savedDirectory(stateDir), `.${randomBytes(8).toString("hex")}`))
)

/** Fails if the name is in use, also by a snapshot that the request may not reach. */
export const demandFreeName = (name: string) =>
  Effect.flatMap(
    folderCalled(name),
    ({ directory }) => exists(directory) ? Effect.fail(new SavedExists({ saved: name })) : Effect.void
  )

/** Gives a whole snapshot its name, by one rename. */
export const giveName = ({ registry }: Pick<Lifecycle, "registry">, { folder, record }: Saved) =>
  Effect.gen(function*() {
    const { name } = record
    yield* demandFreeName(name)
    const named = yield* folderCalled(name)
    yield* Effect.mapError(renameFile(folder.directory, named.directory), toHostErrorOf(named.directory))
    const saved: Saved = { folder: named, record }
    return saved
  }).pipe(registry.savedLock.withPermits(1))

/**
 * What a workspace from the snapshot gets: no secret and no host of one. The guest may have the values, so pyro removes them from output there
 * too.
 */
const keepNoSecrets = ({ directory }: SavedFolder) =>
  Effect.gen(function*() {
    const { former, secrets } = yield* readSecrets(directory)
    yield* writeSecrets(directory, { secrets: [], former: [...former, ...secrets] })
    yield* removeHeaderSecrets(directory)
  })

/** Saves the present state of a workspace under a name of this host. A failure leaves nothing. Its caller has the workspace alone. */
export const save = (
  lifecycle: Lifecycle,
  entry: Entry,
  { diskOnly = false, name }: Omit<SavePayload, "workspace">,
  notify: Notify
) =>
  Effect.gen(function*() {
    yield* demandPlain(yield* guardOf(entry, {}), { name })
    yield* demandFreeName(name)
    const folder = yield* namelessFolder
    const source = yield* entry.record.now
    const record = announced(source, { name, id: path.basename(folder.directory).slice(1), createdAt: yield* nowIso })
    const made = yield* Effect.gen(function*() {
      yield* Effect.mapError(ensureFolder(folder.directory), toHostErrorOf(folder.directory))
      yield* writeSaved(folder, record)
      faultPoint("save:announced")
      yield* linkBase(folder.base, yield* linkedBase(entry.folder.base))
      yield* progress(notify, "copying the workspace", 0.2)
      const memory = { path: folder.frozen.memoryPath, uid: process.getuid?.() ?? 0 }
      const captured = yield* capture(entry, folder, diskOnly ? undefined : memory)
      yield* keepNoSecrets(folder)
      const whole = { ...record, captured }
      yield* writeSaved(folder, whole)
      faultPoint("save:taken")
      return yield* giveName(lifecycle, { folder, record: whole })
    }).pipe(Effect.onError(() => discardFolder(folder.directory)))
    faultPoint("save:committed")
    yield* recordEvent(entry.folder.directory, {
      _tag: "snapshot_save",
      name,
      memory: made.record.captured.memory !== undefined
    })
    yield* touch(entry.folder)
    yield* keepForGood(lifecycle, made)
    return savedInfo(made)
  }).pipe(Effect.uninterruptible)

/** Makes a saved snapshot durable in the background, and reports the result to later readers. */
export const keepForGood = ({ registry, scope }: Lifecycle, { folder, record }: Saved) =>
  Effect.gen(function*() {
    const files = yield* attempt("scandir", folder.directory, () => filesBeneath(folder.directory))
    for (const file of files) yield* syncFile(file)
    // A deletion may have given the name to another one meanwhile.
    const marked = Effect.flatMap(readSaved(folder), (now) =>
      isSame(now, record.id) ? writeSaved(folder, { ...record, durable: true }, { durable: true }) : Effect.void)
    yield* registry.savedLock.withPermits(1)(marked)
    yield* syncFile(folder.directory)
  }).pipe(
    Effect.catch((failure) =>
      Effect.logDebug(`saved snapshot ${record.name} is not durable: ${failure.message}`)
    ),
    Effect.forkIn(scope),
    Effect.asVoid
  )

const isSame = (now: Option.Option<Saved>, id: string) => now._tag === "Some" && now.value.record.id === id

/** Deletes a saved snapshot, also one with a damaged record. The next daemon finishes an interrupted removal. */
export const deleteSaved = ({ registry }: Lifecycle, names: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const all = [...new Set(names)]
    const gone = yield* registry.savedLock.withPermits(1)(
      Effect.flatMap(Effect.forEach(all, deletable), (found) => Effect.forEach(found, hide))
    )
    faultPoint("saved-delete:hidden")
    yield* Effect.forEach(gone, discardFolder, { discard: true })
    return all
  }).pipe(Effect.uninterruptible)

/** The folder of a saved snapshot that the caller may delete, also of one that this pyro cannot read. */
const deletable = (name: string) =>
  Effect.gen(function*() {
    const folder = yield* folderCalled(name)
    const read = yield* Effect.orElseSucceed(readSaved(folder), () => undefined)
    const record = read?._tag === "Some" ? read.value.record : undefined
    return exists(folder.directory) && (yield* isWithinReach(record))
      ? folder.directory
      : yield* new SavedNotFound({ saved: name, similar: [] })
  })

/** Takes the name of a saved snapshot away. Its files are then in the given folder. */
const hide = (directory: string) =>
  Effect.gen(function*() {
    const gone = yield* namelessFolder
    yield* Effect.mapError(renameFile(directory, gone.directory), toHostErrorOf(directory))
    return gone.directory
  })

/** After a crash: makes those durable that are not yet. `sweepSaved` has removed what has no name. */
export const adoptSaved = (lifecycle: Lifecycle) =>
  Effect.flatMap(readAllSaved, (all) =>
    Effect.forEach(
      all.filter(({ record }) => !record.durable && record.hostBoot === hostBootId()),
      (saved) => keepForGood(lifecycle, saved),
      { discard: true }
    ))
