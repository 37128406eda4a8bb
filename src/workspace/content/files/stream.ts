import { type Cause, Effect, Queue, Stream } from "effect"
import { type ChannelFailed, type DiskDamaged, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type {
  FileDownloadEvent,
  FileDownloadPayload,
  FileUploadEvent,
  FileUploadPayload
} from "../../../contract/rows/workspace-file-stream.ts"
import { type GuestTree, workspaceFile } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { withoutSecretIn } from "../../../lib/redaction/redact.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"
import { forEachWhile } from "../../../system/waits/for-each-while.ts"
import type { Lifecycle } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import type { GuestLost } from "../../entry/resident.ts"
import { borrowReader } from "../../life/read/reader.ts"
import { wakeFor } from "../../life/verbs/pause.ts"
import { guardOf } from "../../residents/open/entry-residents.ts"
import { modeText, openFile } from "./open.ts"
import { type WriteError, writeFileFrom } from "./write.ts"

/** Maximum bytes of a file that reports size 0, as the files of /proc do. The largest usual one, /proc/kallsyms, has 10 MiB. */
const UNSIZED_BYTES = 64 * 1024 * 1024

/** Pieces that the guest may be ahead of the reader. */
const AHEAD = 16

interface DownloadOptions {
  readonly tree: GuestTree
  /** Secrets that the content must not have. @default none */
  readonly secrets?: SecretSet | undefined
}

/** Reads bytes of a file and passes them on, piece by piece. */
export const readBytes = (
  channel: GuestChannel,
  { length = Number.POSITIVE_INFINITY, offset, path: text, user }: Omit<FileDownloadPayload, "workspace">,
  { secrets, tree }: DownloadOptions,
  emit: (event: FileDownloadEvent) => Effect.Effect<unknown>
) =>
  Effect.gen(function*() {
    const path = yield* workspaceFile(text, tree)
    const limit = Number.isFinite(length) ? length : undefined
    const opened = openFile(channel, path, tree, { user, offset, limit })
    let bytes = 0
    const before = yield* Effect.scoped(Effect.gen(function*() {
      const { content, state } = yield* opened
      yield* emit({
        _tag: "Opened",
        path: path.text,
        sizeBytes: state.size,
        mode: modeText(state.mode),
        version: state.version
      })
      const isUnsized = state.size === 0 && limit === undefined
      const most = state.size === 0
        ? Math.min(length, UNSIZED_BYTES)
        : Math.min(length, Math.max(0, state.size - offset))
      if (most === 0) return state
      const guarded = secrets === undefined ? content : withoutSecretIn(secrets, path.text, content)
      yield* forEachWhile(
        guarded as Stream.Stream<Uint8Array, ChannelFailed | FileRefused>,
        (piece): Effect.Effect<boolean, FileRefused> => {
          if (isUnsized && piece.length > most - bytes) {
            return new FileRefused({
              path: path.text,
              reason: "too_large",
              detail: `it says that it is empty, and gives more than ${UNSIZED_BYTES} bytes`,
              next: [words("Read it with a command, or a part of it with a length")]
            })
          }
          const part = piece.subarray(0, most - bytes)
          bytes += part.length
          return Effect.as(emit({ _tag: "Output", bytes: part }), bytes < most)
        }
      )
      return state
    }))
    const after = yield* Effect.option(Effect.scoped(openFile(channel, path, tree, { user, limit: 1 })))
    yield* emit({
      _tag: "Ended",
      bytes,
      changed: after._tag === "None" || after.value.state.version !== before.version
    })
  })

/** Why the bytes of a file end before its end. */
type DownloadFailure = Effect.Error<ReturnType<typeof readBytes>> | DiskDamaged | GuestLost

/** The bytes of a file, from the guest that reads the workspace in its present state. The guest sends at the reader's pace. */
export const downloadFrom = (
  lifecycle: Lifecycle,
  entry: Entry,
  payload: FileDownloadPayload
) =>
  Stream.unwrap(Effect.gen(function*() {
    const { channel, explain, lookAtFiles } = yield* borrowReader(
      lifecycle,
      entry,
      "workspace.file.download",
      wakeFor(lifecycle, entry, "workspace.file.download")
    )
    const secrets = yield* guardOf(entry, payload)
    const events = yield* Queue.bounded<FileDownloadEvent, DownloadFailure | Cause.Done>(AHEAD)
    yield* explain(
      lookAtFiles((tree) => readBytes(channel, payload, { tree, secrets }, (event) => Queue.offer(events, event)))
    ).pipe(Queue.into(events), Effect.forkScoped)
    return Stream.fromQueue(events)
  }))

/** Writes the input of the caller to a file. If the caller ends before its input does, the old file stays. */
export const uploadFile = (
  channel: GuestChannel,
  payload: FileUploadPayload,
  { stdin }: RunInput
): Effect.Effect<FileUploadEvent, WriteError> =>
  stdin === undefined
    ? new InvalidRequest({
      field: "stdin",
      detail: "give the content as the input of the request; an empty input makes an empty file"
    })
    : Effect.map(writeFileFrom(channel, payload, stdin), (written) => ({ _tag: "Ended", ...written }))
