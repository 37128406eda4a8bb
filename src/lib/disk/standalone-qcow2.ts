import { qcow2Header } from "./qcow2.ts"

/** Bytes of a cluster of pyro's qcow2 files, and of the smallest hole in an exported disk. */
export const CLUSTER_BYTES = 65_536

/** A run of clusters with data, by number. */
export interface ClusterRun {
  readonly first: number
  readonly count: number
}

/** Runs of clusters that contain a byte of the ranges. The ranges are in order and do not overlap. */
export const clusterRuns = (
  ranges: Iterable<{ readonly start: number; readonly length: number }>
): ReadonlyArray<ClusterRun> => {
  const runs: Array<{ first: number; count: number }> = []
  for (const { length, start } of ranges) {
    const first = Math.floor(start / CLUSTER_BYTES)
    const end = Math.ceil((start + length) / CLUSTER_BYTES)
    const last = runs.at(-1)
    if (last !== undefined && first <= last.first + last.count) {
      last.count = Math.max(last.count, end - last.first)
    } else runs.push({ first, count: end - first })
  }
  return runs
}

export const clusterCount = (runs: ReadonlyArray<ClusterRun>) => runs.reduce((sum, { count }) => sum + count, 0)

/** Entries of an L2 table or the L1 table in one cluster, and reference counts of 16 bits in one. */
const pointers = CLUSTER_BYTES / 8
const counts = CLUSTER_BYTES / 2

/** In L1 and L2 entries: the reference count is exactly 1 (docs/interop/qcow2.txt of QEMU). */
const COPIED = 1n << 63n

/** Offsets of the fields that differ from an empty image. */
const field = { l1Offset: 40, refcountTableOffset: 48, refcountTableClusters: 56 } as const

const clustersFor = (bytes: number) => Math.ceil(bytes / CLUSTER_BYTES)

/** Clusters of the reference counts of an image with `others` other clusters: blocks, and the table of the blocks. */
const refcountClusters = (others: number) => {
  let [blocks, table] = [1, 1]
  for (;;) {
    const needed = Math.ceil((others + blocks + table) / counts)
    const wanted = Math.ceil(needed / pointers)
    if (needed === blocks && wanted === table) return { blocks, table }
    blocks = needed
    table = wanted
  }
}

/** Places of the parts of an image, in clusters: header, table, blocks, L1, L2 tables, then the data in the order of the disk. */
const layoutOf = (virtualBytes: number, runs: ReadonlyArray<ClusterRun>) => {
  const tables = new Set<number>()
  for (const { count, first } of runs) {
    for (let table = Math.floor(first / pointers); table <= Math.floor((first + count - 1) / pointers); table++) {
      tables.add(table)
    }
  }
  const data = clusterCount(runs)
  const l1Entries = Math.ceil(virtualBytes / (CLUSTER_BYTES * pointers))
  const l1 = clustersFor(l1Entries * 8)
  const { blocks, table } = refcountClusters(1 + l1 + tables.size + data)
  const l1At = 1 + table + blocks
  const l2At = l1At + l1
  return { tables: [...tables], data, l1, blocks, table, l1At, l2At, dataAt: l2At + tables.size }
}

/** Bytes of a standalone image. */
export const standaloneBytes = (virtualBytes: number, runs: ReadonlyArray<ClusterRun>) => {
  const { data, dataAt } = layoutOf(virtualBytes, runs)
  return (dataAt + data) * CLUSTER_BYTES
}

/** Entries as big-endian numbers of 64 bits, in whole clusters. */
const table = (clusters: number, entries: Iterable<readonly [number, bigint]>) => {
  const bytes = Buffer.alloc(clusters * CLUSTER_BYTES)
  for (const [at, value] of entries) bytes.writeBigUInt64BE(value, at * 8)
  return bytes
}

const place = (cluster: number) => BigInt(cluster) * BigInt(CLUSTER_BYTES)

/**
 * Metadata of a qcow2 image without a backing file, in pieces and in the order of the file. The whole clusters of the runs follow.
 */
export function* standaloneMetadata(
  virtualBytes: number,
  runs: ReadonlyArray<ClusterRun>
): Generator<Uint8Array, void> {
  const layout = layoutOf(virtualBytes, runs)
  const header = Buffer.from(qcow2Header({ virtualBytes }).subarray(0, CLUSTER_BYTES))
  header.writeBigUInt64BE(place(layout.l1At), field.l1Offset)
  header.writeBigUInt64BE(place(1), field.refcountTableOffset)
  header.writeUInt32BE(layout.table, field.refcountTableClusters)
  yield header
  const range = (count: number) => Array.from({ length: count }, (_, index) => index)
  yield table(layout.table, range(layout.blocks).map((block) => [block, place(1 + layout.table + block)] as const))
  const all = layout.dataAt + layout.data
  for (let block = 0; block < layout.blocks; block++) {
    const bytes = Buffer.alloc(CLUSTER_BYTES)
    const used = Math.min(counts, all - block * counts)
    for (let at = 0; at < used; at++) bytes.writeUInt16BE(1, at * 2)
    yield bytes
  }
  yield table(layout.l1, layout.tables.map((number, index) => [number, COPIED | place(layout.l2At + index)] as const))
  let next = layout.dataAt
  let at = 0
  let from = 0
  for (const number of layout.tables) {
    const bytes = Buffer.alloc(CLUSTER_BYTES)
    const end = (number + 1) * pointers
    while (at < runs.length && runs[at]!.first + from < end) {
      const { count, first } = runs[at]!
      const stop = Math.min(count, end - first)
      for (; from < stop; from++) bytes.writeBigUInt64BE(COPIED | place(next++), (first + from - number * pointers) * 8)
      if (from < count) break
      at += 1
      from = 0
    }
    yield bytes
  }
}
