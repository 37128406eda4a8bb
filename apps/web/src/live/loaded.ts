import { useCallback, useEffect, useRef, useState } from "react"
import { keepPlace } from "./focus.ts"

/** An answer of the daemon in a component. The earlier answer stays while the next one loads. */
export interface Loaded<A> {
  readonly value: A | undefined
  readonly failure: Error | undefined
  readonly isLoading: boolean
  readonly reload: () => void
}

/** Asks when the component appears, and again when `key` changes or on `reload`. Late answers to earlier questions are dropped. */
export const useLoaded = <A>(key: string, ask: () => Promise<A>): Loaded<A> => {
  const [state, setState] = useState<{ key: string; value?: A; failure?: Error }>({ key: "" })
  const [turn, setTurn] = useState(0)
  const [isLoading, setLoading] = useState(true)
  const latest = useRef(ask)
  latest.current = ask
  useEffect(() => {
    let isCurrent = true
    setLoading(true)
    latest.current().then(
      (value) => {
        if (isCurrent) setState({ key, value })
      },
      (failure: unknown) => {
        if (isCurrent) setState({ key, failure: failure instanceof Error ? failure : new Error(String(failure)) })
      }
    ).finally(() => {
      if (isCurrent) setLoading(false)
    })
    return () => {
      isCurrent = false
    }
  }, [key, turn])
  const reload = useCallback(() => {
    keepPlace()()
    setTurn((before) => before + 1)
  }, [])
  const isOfKey = state.key === key
  return { value: isOfKey ? state.value : undefined, failure: isOfKey ? state.failure : undefined, isLoading, reload }
}
