import { Effect, Option, Ref, type Scope, Stream } from "effect"
import {
  InvalidRequest,
  type NoSpace,
  type PyroError,
  type StateDirectoryUnusable,
  WorkspaceNotReady
} from "../../contract/errors.ts"
import type { WorkspaceOperation } from "../../contract/operation-states.ts"
import type { DiffPayload } from "../../contract/operations/workspace-diff.ts"
import type { ExportEvent, ExportPayload } from "../../contract/operations/workspace-export.ts"
import type {
  FileEditPayload,
  FileListPayload,
  FileReadPayload,
  FileWritePayload
} from "../../contract/operations/workspace-file.ts"
import type { ImportPayload } from "../../contract/operations/workspace-import.ts"
import type { PatchApplyPayload } from "../../contract/operations/workspace-patch.ts"
import type { SyncPushPayload } from "../../contract/operations/workspace-sync.ts"
import { pathText } from "../../contract/path-text.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { applyPatchIn } from "../../patch/apply-in.ts"
import type { Change } from "../../patch/change.ts"
import type { SecretSet } from "../../redaction/output-filter.ts"
import { refuseSecretIn } from "../../redaction/refuse.ts"
import { writingPlace } from "../../seeding/caller-places.ts"
import { readPushed } from "../../seeding/pushed.ts"
import type { PrepareServices } from "../../seeding/request.ts"
import { syncPush } from "../../seeding/sync-push.ts"
import { sha256Hex } from "../../system/content-hash.ts"
import { changesOf } from "../content/diff/changes.ts"
import { changesOptions, diffWorkspace } from "../content/diff/diff.ts"
import { boundedPatch } from "../content/export/bounded-patch.ts"
import { withoutExcluded } from "../content/export/exclusion.ts"
import { isOutside } from "../content/export/outside.ts"
import { exportPatch } from "../content/export/patch.ts"
import { type ExportBounds, exportPath } from "../content/export/path.ts"
import { editFile } from "../content/files/edit.ts"
import { listFiles } from "../content/files/list.ts"
import { readFile } from "../content/files/read.ts"
import { writeFile } from "../content/files/write.ts"
import { importFiles } from "../content/import/import.ts"
import { displayName } from "../entry/display-name.ts"
import type { Entry } from "../entry/entry.ts"
import { type EventLog, recordEvent } from "../entry/events.ts"
import type { Generation } from "../entry/generation.ts"
import { refused, workspaceTrees } from "../life/baseline.ts"
import { explainEnd } from "../life/explain-end.ts"
import type { Borrowed } from "../life/reader.ts"
import { guardOf } from "../residents/secret/guard.ts"

interface Named {
  readonly workspace: string
}
interface Used {
  readonly entry: Entry
  readonly generation: Generation
}
export interface UseOptions {
  readonly writes: boolean
}
/** The running VM of a workspace. `writes`: the use counts as activity. */
type Use = (payload: Named, operation: WorkspaceOperation, options: UseOptions) => Effect.Effect<Used, PyroError>
/** A guest that reads the workspace, running or not. */
type Borrow = (payload: Named, operation: WorkspaceOperation) => Effect.Effect<Borrowed, PyroError, Scope.Scope>

const looks = { writes: false } as const
const writes = { writes: true } as const

/** The two trees of a diff by name: the guest's work tree and its baseline. */
const { baseline, live } = workspaceTrees

/** Fails if a patch of the changes would have a secret, in a name, in old content or in new content. */
const refuseSecretsIn = (secrets: SecretSet | undefined, changes: ReadonlyArray<Change>) =>
  secrets === undefined ? Effect.void : Effect.forEach(changes, ({ after, before, from, path }) =>
    Effect.forEach(
      [path, from, before?.content, after?.content],
      (bytes) => bytes === undefined ? Effect.void : refuseSecretIn(secrets, pathText(path), bytes),
      { discard: true }
    ), { discard: true })

/** Content of a workspace: files, changes, and crossings to and from the host. */
export const makeContent = (use: Use, borrow: Borrow, provide: Provide) => {
  /** Work in the guest. If its VM ends meanwhile, that end is the error. */
  const inGuest = <A, E extends PyroError, P extends Named>(
    payload: P,
    operation: WorkspaceOperation,
    options: UseOptions,
    work: (used: Used) => Effect.Effect<A, E>
  ): Effect.Effect<A, PyroError> =>
    Effect.flatMap(use(payload, operation, options), (used) => explainEnd(used)(work(used)))

  /** A read of the files, in any state of the workspace. */
  const atFiles = <A, E extends PyroError, P extends Named>(
    payload: P,
    operation: WorkspaceOperation,
    look: (borrowed: Borrowed) => Effect.Effect<A, E>
  ): Effect.Effect<A, PyroError> =>
    Effect.scoped(Effect.flatMap(borrow(payload, operation), (borrowed) => borrowed.explain(look(borrowed))))

  /** Reader of what an export names: an inspector has no more than /workspace. Elsewhere a VM must run, as for an import. */
  const readerFor = (payload: ExportPayload): ReturnType<Borrow> =>
    isOutside(payload)
      ? Effect.map(use(payload, "workspace.import", looks), (used): Borrowed => ({
        channel: used.generation.channel,
        entry: used.entry,
        explain: explainEnd(used)
      }))
      : borrow(payload, "workspace.export")

  return {
    listFiles: (payload: FileListPayload) =>
      atFiles(payload, "workspace.file.list", ({ channel }) => listFiles(channel, payload)),
    readFile: (payload: FileReadPayload) =>
      atFiles(
        payload,
        "workspace.file.read",
        ({ channel, entry }) =>
          Effect.flatMap(guardOf(entry, payload), (secrets) => readFile(channel, payload, secrets))
      ),
    writeFile: (payload: FileWritePayload) =>
      inGuest(payload, "workspace.file.write", writes, ({ generation }) => writeFile(generation.channel, payload)),
    editFile: (payload: FileEditPayload) =>
      inGuest(payload, "workspace.file.edit", writes, ({ generation }) => editFile(generation.channel, payload)),
    applyPatch: (payload: PatchApplyPayload) =>
      inGuest(
        payload,
        "workspace.patch.apply",
        payload.check ? looks : writes,
        ({ generation }) => applyPatchIn(generation.channel, payload)
      ),
    diff: (payload: DiffPayload, operation: WorkspaceOperation = "workspace.diff") =>
      atFiles(
        payload,
        operation,
        ({ channel, entry }) =>
          Effect.flatMap(readPushed(entry.folder.directory), (pushed) => diffWorkspace(channel, payload, { pushed }))
      ),
    syncPush: (payload: SyncPushPayload) =>
      Effect.flatMap(
        use(payload, "workspace.sync.push", looks),
        ({ entry }) =>
          inGuest(payload, "workspace.sync.push", writes, (used) => provide(pushInto(used, payload))).pipe(
            entry.pushing.withPermits(1)
          )
      ),
    import: (payload: ImportPayload) =>
      inGuest(
        payload,
        "workspace.import",
        writes,
        ({ entry, generation }) =>
          Effect.tap(
            importFiles(generation.channel, payload),
            ({ bytes, files, path }) =>
              provide(
                recordEvent(entry.folder.directory, {
                  _tag: "import",
                  from: payload.sourcePath,
                  to: path,
                  files,
                  bytes
                })
              )
          )
      ),
    export: (payload: ExportPayload): Stream.Stream<ExportEvent, PyroError> =>
      Stream.unwrapScoped(
        Effect.map(readerFor(payload), ({ channel, entry, explain }) =>
          Stream.unwrap(Effect.gen(function*() {
            const bounds = { secrets: yield* guardOf(entry, payload), within: yield* writingPlace(payload.output) }
            return payload.patch
              ? exportDiff(channel, entry.folder.directory, payload, bounds)
              : exportPath(channel, payload, bounds)
          })).pipe(
            Stream.tap((event) => provide(recordExport(entry, payload, event))),
            Stream.catchAll((failure) => Stream.fromEffect(explain(Effect.fail(failure))))
          ))
      )
  } as const
}
export type Content = ReturnType<typeof makeContent>

/** The log of events, and services of the host that a seed needs. */
type Provide = <A, E>(work: Effect.Effect<A, E, EventLog | PrepareServices>) => Effect.Effect<A, E>

const mountBaseline = (channel: GuestChannel) =>
  Effect.mapError(
    channel.call.baseline({ device: workspaceTrees.device }),
    (failure) => failure._tag === "AgentCallFailed" ? refused("/workspace")(failure) : failure
  )

/** Pushes host files into a running VM and its baseline. */
const pushInto = ({ entry, generation }: Used, payload: SyncPushPayload) =>
  Effect.gen(function*() {
    const { channel } = generation
    const folder = entry.folder.directory
    const { seedPath } = yield* Ref.get(entry.record)
    const called = yield* displayName(entry)
    yield* mountBaseline(channel)
    /** A reset replays the pushes that were recorded before it took this VM out. No later push to this VM may be recorded. */
    const whileCurrent = (record: Effect.Effect<void, StateDirectoryUnusable | NoSpace>) =>
      Effect.flatMap(Ref.get(entry.generation), (now): Effect.Effect<void, PyroError> =>
        Option.isSome(now) && now.value === generation
          ? record
          : new WorkspaceNotReady({
            workspace: called,
            state: "resetting",
            detail: "nothing was pushed; push again"
          })).pipe(entry.pushed.withPermits(1))
    const result = yield* syncPush(channel, payload, { folder, seedPath, live, baseline, whileCurrent })
    yield* recordEvent(folder, {
      _tag: "sync_push",
      from: payload.sourcePath,
      ...(payload.dest === "" ? {} : { to: payload.dest }),
      files: result.filesPushed,
      bytes: result.bytes,
      conflicts: result.conflictCount
    })
    return result
  })

const exportedPaths = ({ path, paths }: ExportPayload) => path === "" ? paths : [path, ...paths]

const recordExport = (entry: Entry, payload: ExportPayload, event: ExportEvent) => {
  if (event._tag !== "Exported") return Effect.void
  const { bytes, digest, files, kind, output } = event.summary
  const [paths = "", ...others] = exportedPaths(payload)
  const more = others.length === 0 ? "" : ` and ${others.length} more`
  return recordEvent(entry.folder.directory, {
    _tag: "export",
    kind,
    ...(kind === "patch" && paths === "" ? {} : { path: `${paths || "/workspace"}${more}` }),
    to: output,
    files,
    bytes,
    ...(digest === undefined ? {} : { digest })
  })
}

/** The diff, or a path's part of it, as a patch on the host. With a digest, only the reviewed diff. */
const exportDiff = (channel: GuestChannel, folder: string, payload: ExportPayload, bounds: ExportBounds) =>
  Stream.unwrap(Effect.gen(function*() {
    const options = yield* changesOptions({
      paths: exportedPaths(payload),
      includeIgnored: false,
      verified: false
    }).pipe(Effect.mapError(({ detail }) => new InvalidRequest({ field: "path", detail })))
    const all = yield* changesOf(channel, { ...options, pushed: yield* readPushed(folder) })
    const changes = yield* withoutExcluded(all, payload.exclude)
    yield* refuseSecretsIn(bounds.secrets, changes)
    const patch = yield* boundedPatch(changes)
    const paths = changes.flatMap(({ from, path }) => from === undefined ? [path] : [from, path])
    return exportPatch(patch, paths, sha256Hex(patch), payload, bounds)
  }))
