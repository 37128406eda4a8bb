import { collectGarbage } from "./collector.ts"

/**
 * Received bytes between two collections of young objects. One takes 0.3 ms if few objects are in use. Rarer collections find more objects in
 * use and promote them, and only a full collection frees promoted objects.
 */
const YOUNG_EVERY_BYTES = 2_097_152
/** Growth before a full collection, which takes 15 ms for the heap of a CLI. V8 alone waits until some 45 MiB. */
const FULL_BYTES = 14_680_064
/** A full collection that takes longer shows a large heap, which may then grow more. */
const LONG_MS = 40
/** Minimum time between full collections, in ms, for readers that are as fast as the guest. */
const FULL_EVERY_MS = 400

let receivedBytes = 0
let lowestBytes = Infinity
let fullBytes = FULL_BYTES
let fullAtMs = -Infinity

/**
 * Counts bytes that came from a guest or from a client, in buffers of their own, and collects garbage if there are too many unused buffers. V8 hardly
 * counts them: 64 MiB of output would take 45 MiB of memory, at any speed. A few MiB of output cause no collection.
 */
export const countReceived = (bytes: number) => {
  receivedBytes += bytes
  if (receivedBytes < YOUNG_EVERY_BYTES) return
  receivedBytes = 0
  collectGarbage({ type: "minor" })
  const heldBytes = process.memoryUsage().arrayBuffers
  lowestBytes = Math.min(lowestBytes, heldBytes)
  if (heldBytes - lowestBytes < fullBytes || performance.now() - fullAtMs < FULL_EVERY_MS) return
  const startedAt = performance.now()
  fullAtMs = startedAt
  collectGarbage()
  fullBytes = performance.now() - startedAt > LONG_MS ? 2 * fullBytes : FULL_BYTES
  lowestBytes = Infinity
}
