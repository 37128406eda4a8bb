import { collectGarbage } from "../../system/processes/collector.ts"

/**
 * A collection of young objects each time so many bytes were received: 0.3 ms where few of them are still in use. Rarer ones
 * find more that is in use and promote it, and what is promoted only a full collection frees.
 */
const YOUNG_EVERY_BYTES = 2_097_152
/** Growth that is worth a full one, 15 ms for the heap of a CLI; V8 alone lets it come to some 45 MiB. */
const FULL_BYTES = 14_680_064
/** A full collection that takes longer belongs to a large heap, which is then allowed more. */
const LONG_MS = 40
/** A reader that is as fast as the guest is not slowed down for it: at most one full collection in so many ms. */
const FULL_EVERY_MS = 400

let receivedBytes = 0
let lowestBytes = Infinity
let fullBytes = FULL_BYTES
let fullAtMs = -Infinity

/**
 * Counts bytes that came from sockets, each chunk in a buffer of its own, and collects garbage when too many such
 * buffers lie about: V8 hardly counts them, so that 64 MiB of output would take 45 MiB of memory, however slowly
 * it is read. Nothing happens for what prints less than a few MiB.
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
