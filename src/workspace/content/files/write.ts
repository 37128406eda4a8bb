import { Effect, Option, Stream } from "effect"
import { type ChannelFailed, FileChanged, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { FileWritePayload, FileWritten } from "../../../contract/rows/workspace-file.ts"
import { guestFiles, workspaceFile, type WorkspacePath } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import { asked, fileFailure, modeText, openFile } from "./open.ts"

/** Errors of a write. */
export type WriteError = ChannelFailed | FileChanged | FileRefused | InvalidRequest

/** Target and mode of a write, without the content. */
type WriteTarget = Pick<FileWritePayload, "expectedVersion" | "mode" | "path"> & {
  readonly append?: boolean | undefined
  readonly user?: string | undefined
}

/** Files of a running guest. */
const tree = guestFiles()

/** The present version. None if the file does not exist. */
const currentVersion = (channel: GuestChannel, path: WorkspacePath) =>
  Effect.scoped(openFile(channel, path, tree)).pipe(
    Effect.map(({ state }) => state.version),
    Effect.catchIf(
      (failure) => failure._tag === "FileRefused" && failure.reason === "not_found",
      () => Effect.succeed("absent")
    )
  )

const writeFailure = (channel: GuestChannel, path: WorkspacePath, expectedVersion: string | undefined) => {
  // A link to a missing file has no version.
  const exists = (version: Option.Option<string>) =>
    new FileRefused({
      path: path.text,
      reason: "exists",
      detail: `is there already${Option.match(version, { onNone: () => "", onSome: (it) => ` (version ${it})` })}`
    })
  return (failure: AgentCallFailed): Effect.Effect<never, ChannelFailed | FileChanged | FileRefused> => {
    if (failure.errno === "ESTALE" && expectedVersion !== undefined) {
      return Effect.flatMap(
        currentVersion(channel, path),
        (actualVersion) => new FileChanged({ path: path.text, expectedVersion, actualVersion })
      )
    }
    return failure.errno === "EEXIST" && expectedVersion === "absent"
      ? Effect.flatMap(
        Effect.option(Effect.filterOrFail(currentVersion(channel, path), (version) => version !== "absent")),
        exists
      )
      : fileFailure(path.text, tree)(failure)
  }
}

/**
 * Replaces or makes a file of the guest with `content`, whole or not at all. The guest checks the expected version right
 * before the rename. `append` writes straight to the end of the file: a copy of a large file for each addition would take its size.
 */
export const writeFileFrom = <E, R>(
  channel: GuestChannel,
  target: WriteTarget,
  content: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<FileWritten, E | WriteError, R> =>
  Effect.gen(function*() {
    const path = yield* workspaceFile(target.path, tree)
    const { append = false, expectedVersion, mode } = target
    if (append && expectedVersion !== undefined) {
      return yield* new InvalidRequest({ field: "expected_version", detail: "cannot be combined with append" })
    }
    const request = {
      ...asked(path, tree),
      user: target.user,
      mode: mode === undefined ? 0 : Number.parseInt(mode, 8),
      createParents: true,
      follow: true,
      append,
      exclusive: expectedVersion === "absent",
      expected: expectedVersion === "absent" ? undefined : expectedVersion
    }
    // Keeps failures of the content apart from those of the agent.
    const marked = Stream.mapError(content, (cause) => ({ _tag: "ContentFailed" as const, cause }))
    const written = yield* channel.writeWithVersion(request, marked).pipe(
      Effect.catchTags({
        AgentCallFailed: writeFailure(channel, path, expectedVersion),
        ContentFailed: ({ cause }) => Effect.fail(cause)
      })
    )
    return {
      path: path.text,
      created: written.created,
      sizeBytes: written.size,
      mode: modeText(written.mode),
      version: written.version
    }
  })

/** Writes the content of the request. */
export const writeFile = (
  channel: GuestChannel,
  payload: FileWritePayload
): Effect.Effect<FileWritten, WriteError> => {
  const { content, text } = payload
  if ((text === undefined) === (content === undefined)) {
    return new InvalidRequest({ field: "text", detail: "give the file's content, as `text` or as `content`" })
  }
  const bytes = content ?? new TextEncoder().encode(text)
  return writeFileFrom(channel, payload, bytes.length === 0 ? Stream.empty : Stream.make(bytes))
}
