import { Effect, Stream } from "effect"
import type { PyroError } from "../contract/errors.ts"
import type { DiffPayload } from "../contract/operations/workspace-diff.ts"
import type { ExportEvent, ExportPayload } from "../contract/operations/workspace-export.ts"
import type {
  FileEditPayload,
  FileListPayload,
  FileReadPayload,
  FileWritePayload
} from "../contract/operations/workspace-file.ts"
import type { PatchApplyPayload } from "../contract/operations/workspace-patch.ts"
import type { SyncPushPayload } from "../contract/operations/workspace-sync.ts"
import type { GuestChannel } from "../guest-channel/GuestChannel.ts"
import { sha256Hex } from "../system/content-hash.ts"
import { explainChannelFailure } from "./boot.ts"
import { refused, workspaceTrees } from "./diff/baseline.ts"
import { changesOf } from "./diff/changes.ts"
import { changesOptions, diffWorkspace } from "./diff/diff.ts"
import { exportPatch } from "./export/patch.ts"
import { exportPath } from "./export/path.ts"
import { editFile } from "./files/edit.ts"
import { listFiles } from "./files/list.ts"
import { readFile } from "./files/read.ts"
import { writeFile } from "./files/write.ts"
import type { Generation } from "./lifecycle/generation.ts"
import type { Entry } from "./lifecycle/registry.ts"
import { applyPatchIn } from "./patch/apply-in.ts"
import { formatPatch } from "./patch/format.ts"
import type { PrepareServices } from "./seed/request.ts"
import { syncPush } from "./seed/sync-push.ts"

interface Named {
  readonly workspace: string
}
interface Used {
  readonly entry: Entry
  readonly generation: Generation
}
/** The running VM of a workspace; `writes` says that what follows counts as activity. */
type Use = (payload: Named, options: { readonly writes: boolean }) => Effect.Effect<Used, PyroError>

const looks = { writes: false } as const
const writes = { writes: true } as const

/** The two trees of a diff by name: what the guest works in, and what it started from. */
const { baseline, live } = workspaceTrees

/** What a workspace holds: files, what changed, and what crosses to the host and from it. */
export const makeContent = (use: Use, provide: ProvideSeeding) => {
  /** Work in the guest; when its VM ends meanwhile that is the error. */
  const inGuest = <A, E extends PyroError, P extends Named>(
    payload: P,
    options: { readonly writes: boolean },
    work: (used: Used) => Effect.Effect<A, E>
  ): Effect.Effect<A, PyroError> =>
    Effect.flatMap(use(payload, options), (used) => explainChannelFailure(used.generation.guest)(work(used)))

  return {
    listFiles: (payload: FileListPayload) =>
      inGuest(payload, looks, ({ generation }) => listFiles(generation.channel, payload)),
    readFile: (payload: FileReadPayload) =>
      inGuest(payload, looks, ({ generation }) => readFile(generation.channel, payload)),
    writeFile: (payload: FileWritePayload) =>
      inGuest(payload, writes, ({ generation }) => writeFile(generation.channel, payload)),
    editFile: (payload: FileEditPayload) =>
      inGuest(payload, writes, ({ generation }) => editFile(generation.channel, payload)),
    applyPatch: (payload: PatchApplyPayload) =>
      inGuest(payload, payload.check ? looks : writes, ({ generation }) => applyPatchIn(generation.channel, payload)),
    diff: (payload: DiffPayload) =>
      inGuest(payload, looks, ({ generation }) => diffWorkspace(generation.channel, payload)),
    syncPush: (payload: SyncPushPayload) =>
      inGuest(payload, writes, ({ entry, generation }) =>
        provide(Effect.zipRight(
          mountBaseline(generation.channel),
          syncPush(generation.channel, payload, { folder: entry.folder.directory, live, baseline })
        ))),
    export: (payload: ExportPayload): Stream.Stream<ExportEvent, PyroError> =>
      Stream.unwrap(
        Effect.map(use(payload, looks), ({ generation }) =>
          (payload.patch ? exportDiff(generation.channel, payload) : exportPath(generation.channel, payload)).pipe(
            Stream.catchAll((failure) =>
              Stream.fromEffect(explainChannelFailure(generation.guest)(Effect.fail(failure)))
            )
          ))
      )
  } as const
}
export type Content = ReturnType<typeof makeContent>

/** Gives seeding what it needs of the host. */
type ProvideSeeding = <A, E>(work: Effect.Effect<A, E, PrepareServices>) => Effect.Effect<A, E>

const mountBaseline = (channel: GuestChannel) =>
  Effect.mapError(
    channel.call.baseline({ device: workspaceTrees.device }),
    (failure) => failure._tag === "AgentCallFailed" ? refused("/workspace")(failure) : failure
  )

/** The whole diff as a patch on the host: exactly the one that was reviewed, where its digest is given. */
const exportDiff = (channel: GuestChannel, payload: ExportPayload) =>
  Stream.unwrap(Effect.gen(function*() {
    const options = yield* changesOptions({ paths: [], includeIgnored: false, verified: false })
    const changes = yield* changesOf(channel, options)
    const patch = formatPatch(changes)
    const paths = changes.flatMap(({ from, path }) => from === undefined ? [path] : [from, path])
    return exportPatch(patch, paths, sha256Hex(patch), payload)
  }))
