import { availableParallelism, loadavg } from "node:os"

/** Jobs that share a processor of the host. All of them take longer by this factor. */
const sharers = () => Math.max(1, loadavg()[0] / availableParallelism())

/**
 * Calls `expired` after the time that takes `seconds` on an idle host: where ten jobs share a processor, ten times as long. What is merely
 * slow must not be taken for stuck. Gives a function that ends the wait.
 */
export const afterIdleSeconds = (seconds, expired, factor = sharers) => {
  let left = seconds
  const timer = setInterval(() => {
    left -= 1 / factor()
    if (left > 0) return
    clearInterval(timer)
    expired()
  }, 1000)
  // Only QEMU keeps the lab alive.
  timer.unref()
  return () => clearInterval(timer)
}
