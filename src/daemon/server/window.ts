import { Deferred, Effect, type Scope } from "effect"
import { WINDOW_EVENTS } from "../../contract/wire/rpcs.ts"
import { acquirePlain } from "../../system/waits/scopes.ts"

/** How many more events a client takes. A batch may take the window below zero. */
class Window {
  #free = WINDOW_EVENTS
  #waiting: Deferred.Deferred<void> | undefined

  /** Waits until the client takes events. */
  take(events: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#free <= 0) {
        return Effect.andThen(Deferred.await(this.#waiting ??= Deferred.makeUnsafe()), this.take(events))
      }
      this.#free -= events
      return Effect.void
    })
  }

  give(events: number) {
    this.#free += events
    const waiting = this.#waiting
    if (this.#free <= 0 || waiting === undefined) return
    this.#waiting = undefined
    Deferred.doneUnsafe(waiting, Effect.void)
  }
}

/** Windows of the operations that run for clients. A client that reads slowly holds up its own operation alone. */
export const makeWindows = () => {
  const open = new Map<string, Window>()
  const keyOf = (clientId: number, request: string) => `${clientId}/${request}`
  return {
    /** The window of a request, until the Scope closes. */
    open: (clientId: number, request: string): Effect.Effect<Window, never, Scope.Scope> => {
      const key = keyOf(clientId, request)
      return acquirePlain(
        Effect.sync(() => {
          const made = new Window()
          open.set(key, made)
          return made
        }),
        () => open.delete(key)
      )
    },
    /** The client of a request has taken events. */
    give: (clientId: number, request: string, events: number) => open.get(keyOf(clientId, request))?.give(events)
  } as const
}
export type Windows = ReturnType<typeof makeWindows>
