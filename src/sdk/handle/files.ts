import { Effect, Option, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { Bytes } from "../promises/common.ts"
import type { Files, FileStat } from "../promises/files.ts"
import type { Host } from "./host.ts"
import type { InEffect } from "./in-effect.ts"
import { handle } from "./marks.ts"
import { ownBytes } from "./output.ts"

/** Content of a file from an export, which has no limit and reads as root. */
const exported = ({ pyro, useStream }: Host, workspace: string, path: string): Stream.Stream<Bytes, PyroError> =>
  useStream(
    pyro.workspace.export({ workspace, path, output: "-", allowExecutableConfig: true, maxMib: 1_048_576 })
  ).pipe(
    Stream.map((event) => event._tag === "Output" ? ownBytes(event.bytes) : new Uint8Array(0)),
    Stream.filter((bytes) => bytes.length > 0)
  )

const concat = (pieces: ReadonlyArray<Uint8Array>): Bytes => {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** The content of a file as it is: exact text in one answer, anything else as an export. */
const contentOf = (
  host: Host,
  workspace: string,
  path: string,
  user: string | undefined
): Stream.Stream<Bytes, PyroError> =>
  Stream.unwrap(
    Effect.map(
      host.use(host.pyro.workspace.file.read({ workspace, path, user, maxBytes: 4_194_304 })),
      ({ lossy, text, truncated }): Stream.Stream<Bytes, PyroError> =>
        text === undefined || lossy || truncated
          ? exported(host, workspace, path)
          : Stream.make(new TextEncoder().encode(text))
    )
  )

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
  const read = (path: string, user: string | undefined) =>
    Effect.map(Stream.runCollect(contentOf(host, workspace, path, user)), concat)
  return handle<InEffect<Files>>("Files", {
    read: (path, { user } = {}) => read(path, user),
    readText: (path, { user } = {}) => Effect.map(read(path, user), (bytes) => new TextDecoder().decode(bytes)),
    stream: (path, { user } = {}) => contentOf(host, workspace, path, user),
    write: (path, content, options) =>
      use(
        file.write({ workspace, path, ...options, ...(typeof content === "string" ? { text: content } : { content }) })
      ),
    edit: (path, oldText, newText, options) => use(file.edit({ workspace, path, oldText, newText, ...options })),
    stat: statOf(host, workspace),
    exists: (path, options) => Effect.map(use(file.stat({ workspace, path, ...options })), ({ exists }) => exists),
    list: (path = ".", options) => use(file.list({ workspace, path, ...options })),
    mkdir: (path, options) => Effect.map(use(file.mkdir({ workspace, path, ...options })), ({ created }) => created),
    remove: (path, options) => Effect.map(use(file.remove({ workspace, path, ...options })), ({ removed }) => removed),
    rename: (path, target, options) => Effect.asVoid(use(file.rename({ workspace, path, target, ...options }))),
    copy: (path, target, options) => use(file.copy({ workspace, path, target, ...options })),
    chmod: (path, mode, options) => Effect.asVoid(use(file.chmod({ workspace, path, mode, ...options })))
  })
}
