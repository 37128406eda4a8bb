import { Effect } from "effect"
import type { ChannelFailed, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { FileContent, FileReadPayload } from "../../../contract/rows/workspace-file.ts"
import { utf8Text } from "../../../contract/text/utf8.ts"
import {
  guestFiles,
  type GuestTree,
  workspaceFile,
  type WorkspacePath,
  workspaceTree
} from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { secretRefusal, SecretSearch } from "../../../lib/redaction/redact.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"
import { forEachWhile } from "../../../system/waits/for-each-while.ts"
import { ImageRead } from "./image.ts"
import { LineRange } from "./line-range.ts"
import { modeText, openFile } from "./open.ts"

/** Part of a file to read. */
type ReadPart =
  & Pick<FileReadPayload, "startLine" | "lineCount" | "maxBytes">
  & Partial<Pick<FileReadPayload, "images" | "user">>

/** Reads text of a guest's files. For a binary file, the result has no content. */
export const readFile = (
  channel: GuestChannel,
  payload: FileReadPayload,
  secrets?: SecretSet,
  tree: GuestTree = guestFiles()
): Effect.Effect<FileContent, ChannelFailed | FileRefused | InvalidRequest> =>
  Effect.flatMap(workspaceFile(payload.path, tree), (path) => readPart(channel, path, payload, { secrets, tree }))

interface ReadOptions {
  readonly tree?: GuestTree
  /** Secrets that the content must not have. @default none */
  readonly secrets?: SecretSet | undefined
}

/** Reads text beneath a tree's root. */
export const readPart = (
  channel: GuestChannel,
  path: WorkspacePath,
  payload: ReadPart,
  { secrets, tree = workspaceTree }: ReadOptions = {}
): Effect.Effect<FileContent, ChannelFailed | FileRefused> =>
  Effect.scoped(Effect.gen(function*() {
    const { content, state } = yield* openFile(channel, path, tree, { user: payload.user })
    const range = new LineRange(payload)
    const image = payload.images === true ? new ImageRead(state.size) : undefined
    let whole = true
    const search = secrets === undefined ? undefined : new SecretSearch(secrets)
    let wants = true
    yield* forEachWhile(content, (bytes) =>
      Effect.suspend(() => {
        const found = search?.push(bytes)
        if (found !== undefined) return secretRefusal(path.text, found)
        wants &&= image?.push(bytes) ?? (whole = range.push(bytes))
        // A secret may begin within the range and end after it.
        return Effect.succeed(wants || search?.isOpen === true)
      }))
    const file = { path: path.text, sizeBytes: state.size, mode: modeText(state.mode), version: state.version }
    const found = image?.found()
    if (found !== undefined) return { ...file, binary: true, lossy: false, truncated: false, image: found }
    if (range.binary) return { ...file, binary: true, lossy: false, truncated: false }
    const { bytes, cutLine, lineCount, nextLine, totalLines, truncated } = range.found(whole)
    return {
      ...file,
      ...utf8Text(bytes),
      binary: false,
      truncated,
      startLine: payload.startLine,
      lineCount,
      ...(cutLine === undefined ? {} : { cutLine }),
      ...(nextLine === undefined ? {} : { nextLine }),
      ...(totalLines === undefined ? {} : { totalLines })
    }
  }))
