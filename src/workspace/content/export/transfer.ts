import { Effect, Stream } from "effect"
import type { TransferEvent, TransferPayload } from "../../../contract/rows/workspace-transfer.ts"
import { CALLERS_COMPUTER } from "../../../contract/rows/workspace-transfer.ts"
import { executablePaths } from "../../../contract/text/executable-config.ts"
import { filesOf } from "../../../lib/exporting/apply.ts"
import type { Consent } from "../../../lib/exporting/bounds.ts"
import type { EntryContent } from "../../../lib/exporting/deliver.ts"
import { type DeliveryFailed, emitting, MAX_BATCH } from "../../../lib/exporting/deliver.ts"
import { executableEntries, executableRefusal } from "../../../lib/exporting/executable-config.ts"
import { demandExpected, demandPatchable } from "../../../lib/exporting/patch.ts"
import type { TreeEntry } from "../../../lib/exporting/tree.ts"
import type { Change, Side } from "../../../lib/patch/model/patch.ts"
import { patchOf } from "../../../lib/patch/patch-of.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"
import { bytesOf } from "../../../system/files/folded-name.ts"
import { forEachWhile } from "../../../system/waits/for-each-while.ts"
import type { Lifecycle } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import type { Transfers } from "../../entry/transfers.ts"
import { guardOf } from "../../residents/open/entry-residents.ts"
import { laterMove, type Moved } from "./applied.ts"
import { readChanges } from "./changes.ts"
import type { ExportChannel } from "./contents.ts"
import { consentOf, type ExportReader, readerFor } from "./export.ts"
import { readTree, withOutsideRefusals } from "./path.ts"

/** Maximum bytes of content in one event. */
const PIECE_BYTES = 256 * 1024
const NOTHING = new Uint8Array(0)

type Emit = (event: TransferEvent) => Effect.Effect<unknown>

/** Sends what an export would write to a client on another computer. */
export const transferFrom = (lifecycle: Lifecycle, entry: Entry, payload: TransferPayload) =>
  Stream.unwrap(
    Effect.map(readerFor(lifecycle, entry, payload), (reader) => transferThrough(reader, entry, payload))
  )

/** Sends it through a guest that reads the workspace. */
const transferThrough = ({ channel, explain, trees }: ExportReader, entry: Entry, payload: TransferPayload) =>
  Stream.unwrap(Effect.gen(function*() {
    const asking: Asking = {
      payload,
      secrets: yield* guardOf(entry, payload),
      consent: payload.ask ? yield* consentOf(entry) : undefined
    }
    return payload.patch || payload.apply
      ? changesEvents({ channel, trees }, entry, asking)
      : treeEvents(channel, asking).pipe(withOutsideRefusals(payload))
  })).pipe(
    Stream.catch((failure) => Stream.fromEffect(explain(Effect.fail(failure))))
  )

/** A request, with what surrounds it. */
export interface Asking {
  readonly payload: TransferPayload
  readonly secrets: SecretSet | undefined
  /** @default no question */
  readonly consent: Consent | undefined
}

/** Sends files and directories. */
export const treeEvents = (channel: ExportChannel, { consent, payload, secrets }: Asking) =>
  emitting((emit: Emit) =>
    Effect.gen(function*() {
      const { contents, entries, excludedCount, skips, top } = yield* readTree(channel, payload, { secrets })
      yield* emit({
        _tag: "Tree",
        top: bytesOf(top),
        entryCount: entries.length,
        excludedCount,
        skippedCount: skips.count,
        skipped: skips.listed
      })
      for (let at = 0; at < entries.length; at += MAX_BATCH) {
        yield* emit({ _tag: "Listed", entries: entries.slice(at, at + MAX_BATCH).map(listed) })
      }
      const files = entries.filter(({ type }) => type === "file")
      const kind = entries[0].type === "directory" ? "directory" : "file"
      if (consent !== undefined) {
        // The client judges with the names above the output, too.
        const executable = executableEntries(entries, top)
        if (executable.size > 0 && !payload.allowExecutableConfig) return yield* executableRefusal(executable)
        const bytes = files.reduce((sum, { size }) => sum + size, 0)
        const overwrite = payload.overwrite ? { overwrite: true } : {}
        yield* consent({ kind, output: CALLERS_COMPUTER, files: files.length, bytes, ...overwrite }, emit)
      }
      const sent = { files: 0, bytes: 0 }
      yield* Stream.runForEach(contents, (file) =>
        Effect.map(sendFile(file, emit), (bytes) => {
          if (bytes === undefined) return
          sent.files++
          sent.bytes += bytes
        }))
      yield* emit({ _tag: "Sent", kind, ...sent, converted: [] })
    })
  )

const listed = ({ loses = [], mode, mtimeNs, path, size, target, type }: TreeEntry) => ({
  path: bytesOf(path),
  type,
  mode,
  size,
  ...(mtimeNs === undefined ? {} : { mtimeNs: String(mtimeNs) }),
  ...(target === undefined ? {} : { target: bytesOf(target) }),
  // The computer that writes says whether it has executable bits.
  loses: loses.filter((one) => one !== "executable")
})

/** Sends the content of a file, and one byte more than its listed size at most. Returns its bytes; undefined for a file that is gone. */
const sendFile = ({ content, entry }: EntryContent<DeliveryFailed>, emit: Emit) => {
  let left = entry.size + 1
  const send = (bytes: Uint8Array) => {
    const part = bytes.subarray(0, left)
    left -= part.length
    return Effect.as(sendPieces(part, emit), left > 0)
  }
  const end = (gone?: string) =>
    emit({ _tag: "Output", bytes: NOTHING, isLast: true, ...(gone === undefined ? {} : { gone }) })
  return (content instanceof Uint8Array
    ? sendContent(content.subarray(0, left), emit).pipe(Effect.as<number | undefined>(content.length))
    : forEachWhile(content, send).pipe(
      Effect.andThen(end()),
      Effect.map((): number | undefined => entry.size + 1 - left)
    )).pipe(Effect.catchTag("Gone", ({ reason }) => Effect.as(end(reason), undefined)))
}

const sendPieces = (bytes: Uint8Array, emit: Emit) => {
  const pieces: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) pieces.push(bytes.subarray(at, at + PIECE_BYTES))
  return Effect.forEach(pieces, (piece) => emit({ _tag: "Output", bytes: piece, isLast: false }), { discard: true })
}

/** Sends a whole content: a small one in one event. */
const sendContent = (bytes: Uint8Array, emit: Emit) => {
  const last = Math.max(0, Math.ceil(bytes.length / PIECE_BYTES) - 1) * PIECE_BYTES
  return Effect.andThen(
    sendPieces(bytes.subarray(0, last), emit),
    emit({ _tag: "Output", bytes: bytes.subarray(last), isLast: true })
  )
}

/** The part of a workspace that a transfer of changes takes. */
interface Changing extends Moved {
  readonly transfers: Transfers
}

/** Sends the changes of the diff. */
export const changesEvents = (
  { channel, trees }: Pick<ExportReader, "channel" | "trees">,
  entry: Changing,
  { consent, payload, secrets }: Asking
) =>
  emitting((emit: Emit) =>
    Effect.gen(function*() {
      const prepareMove = yield* laterMove(entry, channel)
      const { changes, converted, hints, patch, pushed } = yield* readChanges(
        { channel, trees },
        entry.folder.directory,
        payload,
        { secrets }
      )
      for (const hint of hints) yield* emit(hint)
      const { bytes: patchBytes, digest } = yield* patchOf(changes, 0)
      yield* demandExpected(digest, payload)
      const touched = yield* demandPatchable(changes)
      const kind = payload.apply ? "changes" : "patch"
      const files = filesOf(changes)
      const written = files.filter(({ after }) => after !== undefined)
      const about = {
        kind,
        files: payload.apply ? written.length : 1,
        changedFiles: changes.length,
        bytes: patch === undefined ? written.reduce((sum, { after }) => sum + after!.content.length, 0) : patchBytes,
        digest
      } as const
      if (consent !== undefined && !payload.check) {
        const executable = executablePaths(touched)
        if (executable.size > 0 && !payload.allowExecutableConfig) return yield* executableRefusal(executable)
        const overwrite = payload.overwrite ? { overwrite: true } : {}
        yield* consent({ ...about, output: CALLERS_COMPUTER, ...overwrite }, emit)
      }
      yield* Effect.forEach(changes, (change) => sendChange(change, emit), { discard: true })
      const moves = payload.movesBaseline && payload.apply && !payload.check
      const transfer = moves ? yield* entry.transfers.offer(yield* prepareMove(files, pushed)) : undefined
      yield* emit({ _tag: "Sent", ...about, converted, ...(transfer === undefined ? {} : { transfer }) })
      // The offer lasts until the client ends the call.
      return moves ? yield* Effect.never : undefined
    })
  )

const sendChange = ({ after, before, from, path }: Change, emit: Emit) => {
  const sideOf = ({ content, mode }: Side) => ({ mode, size: content.length })
  return Effect.andThen(
    emit({
      _tag: "Changed",
      path,
      ...(from === undefined ? {} : { from }),
      ...(before === undefined ? {} : { before: sideOf(before) }),
      ...(after === undefined ? {} : { after: sideOf(after) })
    }),
    Effect.forEach([before, after], (side) => side === undefined ? Effect.void : sendContent(side.content, emit), {
      discard: true
    })
  )
}
