import { Effect } from "effect"
import type { Listeners } from "./listener.ts"
import type { Publication } from "./publication.ts"

/** Listens anew for ports that an earlier VM or process had. */
export interface ListeningAgain {
  /** Listens on the known port of the host if it is free, else on another one. */
  readonly listen: (publication: Publication) => Effect.Effect<void>
  /** Sentences about ports that are not as before. Each is given once. */
  readonly takeWarnings: () => ReadonlyArray<string>
}

/** `id`: the workspace, for the log. */
export const makeListeningAgain = (id: string, listeners: Pick<Listeners, "listen">): ListeningAgain => {
  let warnings: ReadonlyArray<string> = []
  const warn = (sentence: string) =>
    Effect.andThen(
      Effect.logWarning(`${id}: ${sentence}`),
      Effect.sync(() => void (warnings = [...warnings, sentence]))
    )
  return {
    listen: (publication) => {
      const { stored } = publication
      const { guestPort, hostPort } = stored
      const known = listeners.listen(guestPort, hostPort ?? 0)
      const other = hostPort === undefined ?
        known :
        Effect.catch(known, ({ fact }) =>
          Effect.tap(
            listeners.listen(guestPort, 0),
            (listener) =>
              warn(`port ${guestPort} of the guest is now published on 127.0.0.1:${listener.hostPort}: ${fact}`)
          ))
      return other.pipe(
        Effect.map((listener) => {
          publication.listener = listener
          publication.stored = { ...stored, hostPort: listener.hostPort }
        }),
        Effect.catch(({ fact }) => warn(`port ${guestPort} of the guest is not published: ${fact}`))
      )
    },
    takeWarnings: () => {
      const taken = warnings
      warnings = []
      return taken
    }
  }
}
