import { useSyncExternalStore } from "react"

/** A value that changes, and those who look at it. */
export interface Store<A> {
  readonly get: () => A
  readonly set: (value: A) => void
  /** Calls `listener` after each change, until the returned function is called. */
  readonly subscribe: (listener: () => void) => () => void
}

export const makeStore = <A>(initial: A): Store<A> => {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return
      value = next
      for (const listener of [...listeners]) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

/** The value of a store, in a component that renders again after each change. */
export const useStore = <A>({ get, subscribe }: Store<A>): A => useSyncExternalStore(subscribe, get)
