import { Effect } from "effect"
import type { DiskDamaged, GuestPanicked, VmFailed } from "../../contract/errors/errors.ts"
import {
  CLUSTER_BYTES,
  clusterCount,
  type ClusterRun,
  standaloneBytes,
  standaloneMetadata
} from "../../lib/disk/standalone-qcow2.ts"
import { fillFrom } from "../../system/files/content.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import type { SparsePut } from "../../system/files/put.ts"
import type { Extent } from "./map.ts"

/** Content of an exported disk. */
export interface DiskImage {
  readonly format: "raw" | "qcow2"
  readonly virtualBytes: number
  /** Clusters with data. */
  readonly runs: ReadonlyArray<ClusterRun>
}

/** Maximum bytes of the file, without holes. */
export const imageBytes = ({ format, runs, virtualBytes }: DiskImage) =>
  format === "qcow2" ? standaloneBytes(virtualBytes, runs) : clusterCount(runs) * CLUSTER_BYTES

/** Clusters of one read. */
const PIECE_CLUSTERS = 16

const zeros = Buffer.alloc(CLUSTER_BYTES)

function* piecesOf(runs: ReadonlyArray<ClusterRun>) {
  for (const { count, first } of runs) {
    for (let at = 0; at < count; at += PIECE_CLUSTERS) {
      const clusters = Math.min(PIECE_CLUSTERS, count - at)
      yield { start: (first + at) * CLUSTER_BYTES, length: clusters * CLUSTER_BYTES }
    }
  }
}

type ContentFailed = FileFailed | DiskDamaged | GuestPanicked | VmFailed

/** A source of a disk's bytes. Bytes without data are zeros. No read begins before the end of the previous one. */
export interface DiskContent {
  readonly read: (start: number, length: number) => Effect.Effect<Buffer, ContentFailed>
}

/** How to write a disk: the source of its bytes, the target, and what to call after each read. */
interface Writing {
  readonly content: DiskContent
  readonly file: SparsePut
  readonly progress: (bytes: number) => Effect.Effect<unknown>
}

/** Writes a disk with holes in place of zeros. Gives the written bytes. */
const writeRaw = (
  { runs, virtualBytes }: DiskImage,
  { content, file, progress }: Writing
) =>
  Effect.gen(function*() {
    let [end, written] = [0, 0]
    for (const { length, start } of piecesOf(runs)) {
      const bytes = yield* content.read(start, length)
      for (let at = 0; at < length; at += CLUSTER_BYTES) {
        const cluster = bytes.subarray(at, Math.min(at + CLUSTER_BYTES, virtualBytes - start))
        if (cluster.equals(zeros.subarray(0, cluster.length))) continue
        yield* file.skip(start + at - end)
        yield* file.write(cluster)
        end = start + at + cluster.length
        written += cluster.length
      }
      yield* progress(length)
    }
    yield* file.skip(virtualBytes - end)
    return written
  })

/** Writes a qcow2 image without a backing file: metadata first, then each cluster with data. Gives the written bytes. */
const writeQcow2 = (
  { runs, virtualBytes }: DiskImage,
  { content, file, progress }: Writing
) =>
  Effect.gen(function*() {
    for (const piece of standaloneMetadata(virtualBytes, runs)) yield* file.write(piece)
    for (const { length, start } of piecesOf(runs)) {
      yield* file.write(yield* content.read(start, length))
      yield* progress(length)
    }
    return standaloneBytes(virtualBytes, runs)
  })

/** Writes an exported disk into a file. Gives the written bytes, without holes. */
export const writeImage = (image: DiskImage, writing: Writing) =>
  image.format === "qcow2" ? writeQcow2(image, writing) : writeRaw(image, writing)

/** Reads a disk's bytes from the files of its chain. */
export class DiskBytes implements DiskContent {
  readonly #files: ReadonlyArray<{ readonly path: string; readonly fd: number }>
  readonly #extents: Iterator<Extent, unknown>
  #extent: Extent | undefined

  /** @param files open files, newest first @param extents in the order of the disk */
  constructor(files: ReadonlyArray<{ readonly path: string; readonly fd: number }>, extents: Iterable<Extent>) {
    this.#files = files
    this.#extents = extents[Symbol.iterator]()
    this.#step()
  }

  #step() {
    const { done, value } = this.#extents.next()
    this.#extent = done === true ? undefined : value as Extent
  }

  /** Bytes of the disk from `start` on. Bytes without data are zeros. */
  read(start: number, length: number): Effect.Effect<Buffer, FileFailed> {
    return Effect.gen({ self: this }, function*() {
      const bytes = Buffer.alloc(length)
      for (let extent = this.#extent; extent !== undefined; extent = this.#extent) {
        const from = Math.max(extent.start, start)
        const to = Math.min(extent.start + extent.length, start + length)
        if (from < to) {
          yield* fillFrom(
            this.#files[extent.depth]!,
            bytes.subarray(from - start, to - start),
            extent.offset + from - extent.start
          )
        }
        if (extent.start + extent.length > start + length) break
        this.#step()
      }
      return bytes
    })
  }
}
