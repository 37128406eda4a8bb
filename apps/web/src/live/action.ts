import { useCallback, useState } from "react"
import { keepPlace } from "./focus.ts"
import { makeStore } from "./store.ts"

/** The last thing that a button did, in a sentence for the page's one live region. */
export const announcement = makeStore("")

/** A step that a button begins. */
export interface Action {
  /** What runs now. Undefined: nothing. */
  readonly running: string | undefined
  readonly failure: Error | undefined
  /** Runs one step at a time, and announces its end. Says whether the step succeeded. */
  readonly run: (name: string, step: () => Promise<string>) => Promise<boolean>
  readonly clear: () => void
}

export const useAction = (): Action => {
  const [running, setRunning] = useState<string>()
  const [failure, setFailure] = useState<Error>()
  const run = useCallback(async (name: string, step: () => Promise<string>) => {
    const atEnd = keepPlace()
    setRunning(name)
    setFailure(undefined)
    // The end of an earlier step would stand beside the outcome of this one.
    announcement.set("")
    try {
      announcement.set(await step())
      return true
    } catch (problem) {
      setFailure(problem instanceof Error ? problem : new Error(String(problem)))
      return false
    } finally {
      setRunning(undefined)
      atEnd()
    }
  }, [])
  return { running, failure, run, clear: useCallback(() => setFailure(undefined), []) }
}
