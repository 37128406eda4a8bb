import { Effect, Stream } from "effect"
import { FileRefused } from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { EFBIG, EINVAL, ELOOP, ENOENT, ENOTDIR, errnoName } from "../../../lib/guest-channel/model/errors.ts"
import { refused } from "../../life/guest/baseline.ts"
import { batchesOf } from "../batches.ts"

/** Maximum bytes of paths in one request of `readMany`, and maximum number of paths. */
export const requestLimits = { bytes: 48 * 1024, items: 1_000 } as const
/** Bytes of a path's length on the wire. */
export const COUNT_BYTES = 4

export interface ReadLimits {
  /** Maximum `bytes` of one file. Larger files are not read. */
  readonly fileBytes: number
  /** Remaining bytes of all files together. Reads decrease it. */
  readonly total: { left: number }
  /** A non-regular file, or a path through a link, is "absent" instead of a failure. @default false */
  readonly linksAreAbsent?: boolean | undefined
}

export type ReadResult = Uint8Array | "absent" | "too large"

/** Paths, grouped by request. */
const requestsOf = (paths: ReadonlyArray<string>) =>
  batchesOf(paths, ({ length }) => length + COUNT_BYTES, requestLimits)

/** Reads regular files of a tree, by byte strings relative to it. A file beyond the limits is "too large". */
export const readContents = (
  channel: GuestChannel,
  tree: { readonly root: string; readonly path: string },
  paths: ReadonlyArray<string>,
  limits: ReadLimits
) =>
  Effect.suspend(() => {
    const contents = new Map<string, ReadResult>()
    const absent = new Set(limits.linksAreAbsent === true ? [ENOENT, ENOTDIR, ELOOP, EINVAL] : [ENOENT, ENOTDIR])
    const prefix = tree.path === "" ? "" : `${tree.path}/`
    const requestOne = (request: ReadonlyArray<string>) => {
      let at = 0
      return channel.readMany({
        root: tree.root,
        paths: request.map((path) => Buffer.from(`${prefix}${path}`, "latin1")),
        limit: Math.min(limits.fileBytes, limits.total.left)
      }).pipe(Stream.runForEach(({ content, errno }) => {
        const path = request[at++]!
        if (errno !== 0 && errno !== EFBIG && !absent.has(errno)) return Effect.fail(moved(path, errno))
        if (errno === 0 && content.length > limits.total.left) contents.set(path, "too large")
        else if (errno === 0) {
          limits.total.left -= content.length
          contents.set(path, content)
        } else contents.set(path, errno === EFBIG ? "too large" : "absent")
        return Effect.void
      }))
    }
    return Effect.forEach(requestsOf(paths), (request) => Effect.suspend(() => requestOne(request)), { discard: true })
      .pipe(
        Effect.as(contents),
        Effect.mapError((failure) => failure._tag === "AgentCallFailed" ? refused("/workspace")(failure) : failure)
      )
  })

const moved = (path: string, errno: number) =>
  new FileRefused({
    path: pathText(Buffer.from(path, "latin1")),
    reason: "failed",
    detail: `it cannot be read (${errnoName(errno)}); it may be changing just now`,
    next: [words("Try again")]
  })

type Tree = { readonly root: string; readonly path: string }

/** The paths that a tree lacks, as byte strings relative to the tree. Reads no content. */
export const missingIn = (
  channel: GuestChannel,
  { path, root }: Tree,
  paths: ReadonlyArray<string>
) =>
  Stream.fromIterable(requestsOf(paths)).pipe(
    Stream.flatMap((request) =>
      Stream.zip(
        Stream.fromIterable(request),
        channel.readMany({
          root,
          paths: request.map((one) => Buffer.from(path === "" ? one : `${path}/${one}`, "latin1")),
          limit: 0
        })
      )
    ),
    Stream.filter(([, { errno }]) => errno === ENOENT || errno === ENOTDIR),
    Stream.map(([one]) => one),
    Stream.runCollect,
    Effect.map((missing) => Array.from(missing)),
    Effect.mapError((failure) => failure._tag === "AgentCallFailed" ? refused("/workspace")(failure) : failure)
  )

/** Paths as byte strings, without the path of the tree itself. */
export const namedPaths = (paths: ReadonlyArray<Uint8Array>): ReadonlyArray<string> =>
  paths.flatMap((path) => path.length === 0 ? [] : [Buffer.from(path).toString("latin1")])
