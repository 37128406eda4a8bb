import { Effect, Stream } from "effect"
import { createHash } from "node:crypto"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { GuestLost } from "../../entry/resident.ts"
import { batchesOf } from "../batches.ts"
import { readContents } from "../diff/contents.ts"

/** A tree in a guest. */
export interface Place {
  readonly channel: GuestChannel
  readonly tree: { readonly root: string; readonly path: string }
  /** Gives a lost channel its cause. */
  readonly explain: <A, E extends PyroError>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E | GuestLost>
}

/** A file that both trees have, with the same size. */
interface Twin {
  readonly path: string
  readonly size: number
}

/** Maximum bytes of contents in memory at once, of each tree. */
const BATCH_BYTES = 16 * 1024 * 1024

/** SHA-256 of a file's first `size` bytes. `undefined` if the file is unreadable. */
const digestOf = ({ channel, explain, tree }: Place, { path, size }: Twin) =>
  Effect.suspend(() => {
    const hash = createHash("sha256")
    const name = Buffer.from(tree.path === "" ? path : `${tree.path}/${path}`, "latin1")
    const read = channel.read({ root: tree.root, path: name, limit: size }).pipe(
      Stream.runForEach((piece) => Effect.sync(() => hash.update(piece))),
      Effect.as(true),
      Effect.catchTag("AgentCallFailed", () => Effect.succeed(false))
    )
    return Effect.map(explain(read), (whole) => whole ? hash.digest("hex") : undefined)
  })

const sameDigest = (from: Place, to: Place, twin: Twin) =>
  Effect.map(
    Effect.all([digestOf(from, twin), digestOf(to, twin)], { concurrency: 2 }),
    ([one, other]) => one !== undefined && one === other
  )

/**
 * Paths at which both trees have the same content. Reads every byte of files of any size, and trusts no time of a guest. A file
 * that changes during the read counts as different.
 */
export const sameContents = (
  from: Place,
  to: Place,
  twins: ReadonlyArray<Twin>
) =>
  Effect.gen(function*() {
    const same = new Set<string>()
    for (const batch of batchesOf(twins, ({ size }) => size, { bytes: BATCH_BYTES })) {
      const [first] = batch
      if (first !== undefined && first.size > BATCH_BYTES) {
        if (yield* sameDigest(from, to, first)) same.add(first.path)
        continue
      }
      const paths = batch.map(({ path }) => path)
      const read = ({ channel, explain, tree }: Place) =>
        explain(readContents(channel, tree, paths, {
          fileBytes: BATCH_BYTES,
          total: { left: 2 * BATCH_BYTES },
          linksAreAbsent: true
        }))
      const [one, other] = yield* Effect.all([read(from), read(to)], { concurrency: 2 })
      for (const path of paths) {
        const [before, after] = [one.get(path), other.get(path)]
        if (typeof before === "object" && typeof after === "object" && Buffer.compare(before, after) === 0) {
          same.add(path)
        }
      }
    }
    return same
  })
