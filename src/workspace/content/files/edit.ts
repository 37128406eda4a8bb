import { Effect, Stream } from "effect"
import { EditRejected, FileChanged, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { FileEdited, FileEditPayload } from "../../../contract/rows/workspace-file.ts"
import { guestFiles, workspaceFile, type WorkspacePath } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { forEachWhile } from "../../../system/waits/for-each-while.ts"
import { openFile } from "./open.ts"
import { MAX_EDITED_BYTES, nearMatch, type NotReplaced, replaceText } from "./replace.ts"
import { type WriteError, writeFileFrom } from "./write.ts"

/** Maximum attempts of an edit without an expected version, if other writers change the file between its read and its write. */
const RETRIES = 5

const tooLarge = (path: string) =>
  new FileRefused({
    path,
    reason: "too_large",
    detail: `is, or would be, larger than the ${MAX_EDITED_BYTES} bytes that an edit takes`
  })

/** Files of a running guest. */
const tree = guestFiles()

/** The whole content of a file within the limit of an edit. */
const readWhole = (channel: GuestChannel, path: WorkspacePath, user: string | undefined) =>
  Effect.scoped(Effect.gen(function*() {
    const { content, state } = yield* openFile(channel, path, tree, { user })
    if (state.size > MAX_EDITED_BYTES) return yield* tooLarge(path.text)
    const pieces: Array<Uint8Array> = []
    let size = 0
    yield* forEachWhile(content, (bytes) =>
      Effect.sync(() => {
        pieces.push(bytes)
        size += bytes.length
        return size <= MAX_EDITED_BYTES // the file may have grown since
      }))
    if (size > MAX_EDITED_BYTES) return yield* tooLarge(path.text)
    return { content: Buffer.concat(pieces), version: state.version }
  }))

const rejected = (path: string, content: Buffer, payload: FileEditPayload, { count, lines }: NotReplaced) => {
  const more = count > lines.length ? " and more" : ""
  const detail = count === 0
    ? nearMatch(content, payload)
    : `the text to replace is there ${count} times, at lines ${lines.join(", ")}${more}`
  return new EditRejected({ path, matches: count, lines, detail })
}

/** Reads, replaces and writes. Never overwrites a concurrent change. */
const editOnce = (channel: GuestChannel, path: WorkspacePath, payload: FileEditPayload) =>
  Effect.gen(function*() {
    const { content, version } = yield* readWhole(channel, path, payload.user)
    const { expectedVersion } = payload
    if (expectedVersion !== undefined && expectedVersion !== version) {
      return yield* new FileChanged({ path: path.text, expectedVersion, actualVersion: version })
    }
    const outcome = replaceText(content, payload)
    if (outcome._tag === "too-large") return yield* tooLarge(path.text)
    if (outcome._tag === "not-replaced") return yield* rejected(path.text, content, payload, outcome)
    const written = yield* writeFileFrom(
      channel,
      { path: payload.path, user: payload.user, expectedVersion: version },
      outcome.content.length === 0 ? Stream.empty : Stream.make(outcome.content)
    )
    return {
      path: written.path,
      replaced: outcome.count,
      lines: outcome.lines,
      lineEndings: outcome.lineEnd ?? "kept" as const,
      sizeBytes: written.sizeBytes,
      mode: written.mode,
      version: written.version
    }
  })

/** Replaces text in a file of the guest. */
export const editFile = (
  channel: GuestChannel,
  payload: FileEditPayload
): Effect.Effect<FileEdited, EditRejected | WriteError> =>
  Effect.gen(function*() {
    if (payload.oldText === payload.newText) {
      return yield* new InvalidRequest({ field: "new_text", detail: "is the same as old_text" })
    }
    const path = yield* workspaceFile(payload.path, tree)
    return yield* editOnce(channel, path, payload).pipe(
      Effect.retry({
        times: RETRIES,
        while: (failure) => failure._tag === "FileChanged" && payload.expectedVersion === undefined
      })
    )
  })
