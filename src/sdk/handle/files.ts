import { Effect, Option, Stream } from "effect"
import { InvalidRequest, ofField } from "../../contract/errors/errors.ts"
import type { Bytes } from "../promises/common.ts"
import type { FileStat, ReadOptions } from "../promises/file-options.ts"
import type { Files } from "../promises/files.ts"
import type { Host } from "./host.ts"
import type { Given, InEffect } from "./in-effect.ts"
import { readInput } from "./input.ts"
import { handle } from "./marks.ts"
import { ownBytes } from "./output.ts"

const concat = (pieces: ReadonlyArray<Uint8Array>): Bytes => {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** The bytes of a file, at the reader's pace. */
const bytesOf = (
  { pyro, useStream }: Host,
  workspace: string,
  path: string,
  options: Given<ReadOptions> | undefined
) =>
  useStream(pyro.workspace.file.download({ ...options, workspace, path })).pipe(
    Stream.map((event) => event._tag === "Output" ? [ownBytes(event.bytes)] : []),
    Stream.flattenIterable
  )

/** Maximum bytes of one request. Longer content is a stream. */
const MAX_CONTENT_BYTES = 8_388_608

const lengthOf = (content: string | Uint8Array) =>
  typeof content === "string" && content.length * 3 > MAX_CONTENT_BYTES
    ? new TextEncoder().encode(content).length
    : content.length

/** The error of a refused input, with the name that the handle gives the input. */
const asContent = (refused: InvalidRequest) => ofField(refused, "content")

const writeIn =
  ({ pyro: { workspace: { file } }, use }: Host, workspace: string): InEffect<Files>["write"] =>
  (path, content, options) => {
    const fields = { ...options, workspace, path }
    if ((typeof content === "string" || content instanceof Uint8Array) && lengthOf(content) <= MAX_CONTENT_BYTES) {
      return use(file.write({ ...fields, ...(typeof content === "string" ? { text: content } : { content }) }))
    }
    if (content === undefined) return Effect.fail(new InvalidRequest({ field: "content", detail: "is missing" }))
    return use(Effect.flatMap(Effect.mapError(readInput(content), asContent), (read) => {
      const uploaded = file.upload.collect(fields, read?.input)
      return read === undefined ? uploaded : Effect.raceFirst(uploaded, Effect.mapError(read.failed, asContent))
    }))
  }

const statOf = (host: Host, workspace: string): InEffect<Files>["stat"] => (path, options) =>
  Effect.map(
    host.use(host.pyro.workspace.file.stat({ workspace, path, ...options })),
    ({ exists, gid = 0, mode = "", sizeBytes = 0, type = "file", uid = 0, ...rest }): Option.Option<FileStat> =>
      exists ? Option.some({ ...rest, type, sizeBytes, mode, uid, gid }) : Option.none()
  )

/** The files of a workspace. */
export const filesOf = (host: Host, workspace: string): InEffect<Files> => {
  const { use } = host
  const { file } = host.pyro.workspace
  const read = (path: string, options: Given<ReadOptions> | undefined) =>
    Effect.map(Stream.runCollect(bytesOf(host, workspace, path, options)), concat)
  return handle<InEffect<Files>>("Files", {
    read,
    readText: (path, options) => Effect.map(read(path, options), (bytes) => new TextDecoder().decode(bytes)),
    stream: (path, options) => bytesOf(host, workspace, path, options),
    write: writeIn(host, workspace),
    edit: (path, oldText, newText, options) => use(file.edit({ workspace, path, oldText, newText, ...options })),
    stat: statOf(host, workspace),
    exists: (path, options) => Effect.map(use(file.stat({ workspace, path, ...options })), ({ exists }) => exists),
    list: (path = ".", options) => use(file.list({ workspace, path, ...options })),
    mkdir: (path, options) => Effect.map(use(file.mkdir({ workspace, path, ...options })), ({ created }) => created),
    remove: (path, options) => Effect.map(use(file.remove({ workspace, path, ...options })), ({ removed }) => removed),
    rename: (path, target, options) => Effect.asVoid(use(file.rename({ workspace, path, target, ...options }))),
    copy: (path, target, options) => use(file.copy({ workspace, path, target, ...options })),
    chmod: (path, mode, options) => Effect.asVoid(use(file.chmod({ workspace, path, mode, ...options }))),
    watch: (path = ".", options) => host.useStream(file.watch({ workspace, path, ...options }))
  })
}
