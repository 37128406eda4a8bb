/** Time between two looks at an empty bucket, in ms. */
export const BUCKET_REFILL_MS = 20

/** A token bucket: so many at once, and so many per second after these. Takes a token at a monotonic time, if there is one. */
export const makeBucket = (atOnce: number, perSecond: number): (atMs: number) => boolean => {
  let tokens = atOnce
  let filledAtMs: number | undefined
  return (atMs) => {
    tokens = Math.min(atOnce, tokens + (atMs - (filledAtMs ?? atMs)) * perSecond / 1_000)
    filledAtMs = atMs
    if (tokens < 1) return false
    tokens -= 1
    return true
  }
}
