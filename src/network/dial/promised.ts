import { Refusal } from "./refusal.ts"

/** A promise of what `start` tells, which returns how to stop. An abort stops, and rejects with its reason. */
export const promised = <A>(
  signal: AbortSignal,
  start: (settle: (outcome: A | Refusal) => void) => () => void
): Promise<A> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const abort = () => {
      stop()
      reject(signal.reason)
    }
    signal.addEventListener("abort", abort)
    const stop = start((outcome) => {
      signal.removeEventListener("abort", abort)
      if (outcome instanceof Refusal) reject(outcome)
      else resolve(outcome)
    })
  })
