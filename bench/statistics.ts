/** Statistics of a series of measurements. */
export interface Summary {
  readonly min: number
  readonly median: number
  readonly p95: number
  readonly runs: number
}

/** Value below which `fraction` of the sorted values lie: the nearest rank, so always a measured value. */
const rank = (sorted: ReadonlyArray<number>, fraction: number) =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(fraction * sorted.length) - 1))]

/** Median; for an even count the mean of the middle two. Throws on an empty series. */
export const summarize = (values: ReadonlyArray<number>): Summary => {
  if (values.some((value) => !Number.isFinite(value))) throw new Error("a measurement is not a number")
  const sorted = values.toSorted((a, b) => a - b)
  const [min, p95] = [sorted[0], rank(sorted, 0.95)]
  const [low, high] = [rank(sorted, 0.5), sorted[Math.floor(sorted.length / 2)]]
  if (min === undefined || p95 === undefined || low === undefined || high === undefined) {
    throw new Error("there are no measurements")
  }
  return { min, median: (low + high) / 2, p95, runs: sorted.length }
}
