/**
 * Calls back once after `ms`, unless it is cancelled first. For callbacks that only wake a fiber, on the path of every command: a timer
 * costs a microsecond, and a fiber that sleeps some thirty. Everything else sleeps with Effect, whose Clock tests drive.
 */
export const startTimer = (ms: number, callback: () => void): { readonly cancel: () => void } => {
  const timer = setTimeout(callback, ms)
  return { cancel: () => clearTimeout(timer) }
}
