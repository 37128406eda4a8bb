import { Effect, Stream } from "effect"
import { createHash, randomBytes } from "node:crypto"
import * as path from "node:path"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import { writeFileAtomic } from "../../../system/files/atomic-file.ts"
import { ensureFolder, exists, removeFile, renameFile } from "../../../system/files/entries.ts"
import type { FileFailed } from "../../../system/files/failure.ts"
import { copyOpen, piecesOfFile } from "../../../system/files/pieces.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../guest-channel/model/errors.ts"
import type { GuestPath } from "../../guest-channel/model/files.ts"

/** Content of a pushed file, or target of a link, in a file of the workspace's folder. */
export interface Kept {
  readonly file: string
  readonly size: number
  /** Digest, which is the name of the file. */
  readonly sha256: string
}

/** Folder of the contents that a workspace's pushes brought. */
export const contentsOf = (folder: string) => path.join(folder, "pushed")

/** Stores a content, before the guest gets it. */
export const keepContent = (folder: string, content: Uint8Array): Effect.Effect<Kept, FileFailed> =>
  Effect.gen(function*() {
    const sha256 = createHash("sha256").update(content).digest("hex")
    const file = path.join(contentsOf(folder), sha256)
    yield* ensureFolder(contentsOf(folder))
    if (!exists(file)) yield* writeFileAtomic(file, content)
    return { file, size: content.length, sha256 }
  })

/** The same of an open file of any size. The file system shares its blocks if it can. The caller closes the descriptor. */
export const keepFile = (folder: string, fd: number): Effect.Effect<Kept, FileFailed> =>
  Effect.gen(function*() {
    const contents = contentsOf(folder)
    yield* ensureFolder(contents)
    const temporary = path.join(contents, `${randomBytes(8).toString("hex")}.tmp`)
    return yield* copyOpen(fd, temporary).pipe(
      Effect.flatMap(({ sha256, size }) => {
        const file = path.join(contents, sha256)
        return Effect.as(renameFile(temporary, file), { file, size, sha256 })
      }),
      Effect.ensuring(Effect.ignore(removeFile(temporary)))
    )
  })

/** The bytes of a kept content: exactly as many as its size. Throws if the file is gone or has fewer. */
export const piecesOf = ({ file, size }: Kept): Iterable<Uint8Array> => piecesOfFile(file, size)

/** Whether a file of the guest has a kept content. Takes no memory for a large file. */
export const hasKept = (
  channel: GuestChannel,
  { path, root }: GuestPath,
  { sha256, size }: Pick<Kept, "sha256" | "size">
): Effect.Effect<boolean, AgentCallFailed | ChannelFailed> =>
  Effect.suspend(() => {
    const hash = createHash("sha256")
    // A limit of 0 means no limit.
    return channel.read({ root, path, limit: Math.max(size, 1) }).pipe(
      Stream.runForEach((bytes) => Effect.sync(() => void hash.update(bytes))),
      Effect.map(() => hash.digest("hex") === sha256)
    )
  })
