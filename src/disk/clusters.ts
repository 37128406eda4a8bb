/** Bytes of a cluster: of qcow2 as pyro writes it, and the unit in which an exported disk has holes. */
export const CLUSTER_BYTES = 65_536

/** A run of clusters with data, by number. */
export interface ClusterRun {
  readonly first: number
  readonly count: number
}

/** Runs of clusters that any of the byte ranges touches. The ranges are in order and do not overlap. */
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
