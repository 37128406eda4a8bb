import { Effect } from "effect"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { EventLog, type NewEvent } from "../../entry/events.ts"
import { type Publication, takeEvents } from "./publication.ts"
import { readPorts, writePorts } from "./state.ts"

export type HostFailure = NoSpace | StateDirectoryUnusable

/** The publications of one workspace, by guest port, with their file and their events. Not locked: one change at a time. */
export interface PortTable {
  readonly published: Map<number, Publication>
  readonly inOrder: () => ReadonlyArray<Publication>
  readonly write: Effect.Effect<void, HostFailure>
  readonly record: (events: ReadonlyArray<NewEvent>) => Effect.Effect<void>
  /** Records the events that publications lack. The file knows of the events first: each is recorded once at most. */
  readonly tell: (publications: ReadonlyArray<Publication>) => Effect.Effect<void, HostFailure>
  /** Forgets publications, and then closes them. A port that the file cannot lose stays. */
  readonly remove: (
    gone: ReadonlyArray<Publication>,
    close: (publication: Publication) => Effect.Effect<void>
  ) => Effect.Effect<void, HostFailure>
}

/** Reads the table of the workspace in `directory`. Nothing listens yet. */
export const openTable = (directory: string): Effect.Effect<PortTable, HostFailure, EventLog> =>
  Effect.zipWith(readPorts(directory), EventLog, (known, log) => {
    const published = new Map<number, Publication>(
      known.map((stored) => [stored.guestPort, { stored, listener: undefined }])
    )
    const inOrder = () => [...published.values()].toSorted((a, b) => a.stored.guestPort - b.stored.guestPort)
    const write = Effect.suspend(() => writePorts(directory, inOrder().map(({ stored }) => stored)))
    const record = (events: ReadonlyArray<NewEvent>) =>
      Effect.forEach(events, (event) => log.record(directory, event), { discard: true })
    return {
      published,
      inOrder,
      write,
      record,
      tell: (publications) =>
        Effect.suspend(() => {
          const events = publications.flatMap(takeEvents)
          return Effect.ensuring(write, record(events))
        }),
      remove: (gone, close) =>
        Effect.suspend(() => {
          for (const { stored } of gone) published.delete(stored.guestPort)
          const keep = Effect.sync(() => {
            for (const publication of gone) published.set(publication.stored.guestPort, publication)
          })
          return gone.length === 0 ? Effect.void : Effect.onError(write, () => keep).pipe(
            Effect.andThen(Effect.forEach(gone, close)),
            Effect.andThen(Effect.suspend(() => record(gone.flatMap(takeEvents))))
          )
        }).pipe(Effect.uninterruptible)
    }
  })
