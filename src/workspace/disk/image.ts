import { Effect } from "effect"
import {
  CLUSTER_BYTES,
  clusterCount,
  type ClusterRun,
  standaloneBytes,
  standaloneMetadata
} from "../../disk/standalone-qcow2.ts"
import type { SparsePut } from "../../system/files/put.ts"
import type { DiskBytes } from "./disk-bytes.ts"

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

/** Writes a disk with holes in place of zeros. Gives the written bytes. */
const writeRaw = (
  { runs, virtualBytes }: DiskImage,
  content: DiskBytes,
  file: SparsePut,
  progress: (bytes: number) => Effect.Effect<unknown>
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
  content: DiskBytes,
  file: SparsePut,
  progress: (bytes: number) => Effect.Effect<unknown>
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
export const writeImage = (
  image: DiskImage,
  content: DiskBytes,
  file: SparsePut,
  progress: (bytes: number) => Effect.Effect<unknown>
) => (image.format === "qcow2" ? writeQcow2 : writeRaw)(image, content, file, progress)
