import { Effect, Option, Schema, type Scope } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import type { PublishedPort } from "../../../contract/rows/workspace-port.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { removeFile } from "../../../system/files/entries.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { EventLog, type NewEvent } from "../../entry/events.ts"
import { encodeState, type ResidentKind, type ResidentStates } from "../../entry/resident.ts"

const Port = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 65_535 })))

const StoredPort = Schema.Struct({
  guestPort: Port,
  /** Port of the host at which clients know it. Absent: any free one. */
  hostPort: Schema.optional(Port),
  /** Service that the port belongs to. */
  service: Schema.optional(Schema.String),
  /** A model published the port: it stays published while the network policy lets a model publish. */
  byModel: Schema.optional(Schema.Literal(true)),
  /** Port of the host in the last `port_published` event, until the `port_unpublished` event. */
  announced: Schema.optional(Port)
})
/** A published port, in the workspace's file and in snapshots. */
type StoredPort = typeof StoredPort.Type

const PortState = Schema.Struct({
  /** Workspace whose ports these are: another one does not get the same ports of the host. */
  workspace: Schema.String,
  ports: Schema.Array(StoredPort)
})
export type PortState = typeof PortState.Type

/** How a snapshot stores published ports. A workspace stores its ports in a file of their own. */
export const portKind: ResidentKind<PortState, typeof PortState.Encoded> = {
  key: "ports",
  state: PortState,
  upgrades: []
}

/** States of residents with the ports of services alone: the others stay as they are. */
export const portsOfServices = (states: ResidentStates): ResidentStates => {
  const noted = states[portKind.key]
  if (noted === undefined) return states
  const state = Option.getOrUndefined(Schema.decodeUnknownOption(PortState)(noted.state))
  const ports = (state?.ports ?? []).filter(({ service }) => service !== undefined)
  const { [portKind.key]: _, ...others } = states
  return state === undefined || ports.length === 0
    ? others
    : { ...others, [portKind.key]: encodeState(portKind, { ...state, ports }) }
}

const PortFile = Schema.Struct({ format: Schema.Literal(1), ports: Schema.Array(StoredPort) })

const fileOf = (folder: string) => path.join(folder, "ports.json")

const readPorts = (folder: string): Effect.Effect<ReadonlyArray<StoredPort>, NoSpace | StateDirectoryUnusable> =>
  readJson(fileOf(folder), PortFile).pipe(
    Effect.map(Option.match({ onNone: () => [], onSome: ({ ports }) => ports })),
    Effect.mapError(toHostErrorOf(folder))
  )

/** Replaces the file. Without ports there is none. */
const writePorts = (
  folder: string,
  ports: ReadonlyArray<StoredPort>
): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  (ports.length === 0
    ? removeFile(fileOf(folder))
    : writeJsonAtomic(fileOf(folder), PortFile, { format: 1 as const, ports })).pipe(
      Effect.mapError(toHostErrorOf(folder))
    )

/** One published port. */
export interface Publication {
  stored: StoredPort
  /** The listener, while the workspace has a VM. */
  listener: { readonly hostPort: number; readonly scope: Scope.Closeable } | undefined
}

export const infoOf = ({ listener, stored: { guestPort, service } }: Publication): PublishedPort => ({
  guestPort,
  ...(listener === undefined ? {} : { hostPort: listener.hostPort }),
  ...(service === undefined ? {} : { service })
})

/**
 * Events of a change of the listener that the event log lacks. Notes in the publication that the log has them: each beginning and each end
 * is recorded once, also by another process.
 */
export const takeEvents = (publication: Publication): ReadonlyArray<NewEvent> => {
  const { listener, stored } = publication
  const { announced, ...rest } = stored
  const hostPort = listener?.hostPort
  if (announced === hostPort) return []
  publication.stored = { ...rest, ...(hostPort === undefined ? {} : { announced: hostPort }) }
  const { guestPort, service } = stored
  const of = { guestPort, ...(service === undefined ? {} : { service }) }
  return [
    ...(announced === undefined ? [] : [{ _tag: "port_unpublished", ...of, hostPort: announced } as const]),
    ...(hostPort === undefined ? [] : [{ _tag: "port_published", ...of, hostPort } as const])
  ]
}

export type HostFailure = NoSpace | StateDirectoryUnusable

/** The publications of one workspace, by guest port, with their file and their events. Not locked: one change at a time. */
export type PortTable = Effect.Success<ReturnType<typeof openTable>>

/** Reads the table of the workspace in `directory`. Nothing listens yet. */
export const openTable = (directory: string) =>
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
      /** Records the events that publications lack. The file knows of the events first: each is recorded once at most. */
      report: (publications: ReadonlyArray<Publication>) =>
        Effect.suspend(() => {
          const events = publications.flatMap(takeEvents)
          return Effect.ensuring(write, record(events))
        }),
      /** Forgets publications, and then closes them. A port that the file cannot lose stays. */
      remove: (gone: ReadonlyArray<Publication>, close: (publication: Publication) => Effect.Effect<void>) =>
        Effect.suspend(() => {
          for (const { stored } of gone) published.delete(stored.guestPort)
          const restore = Effect.sync(() => {
            for (const publication of gone) published.set(publication.stored.guestPort, publication)
          })
          return gone.length === 0 ? Effect.void : Effect.onError(write, () => restore).pipe(
            Effect.andThen(Effect.forEach(gone, close)),
            Effect.andThen(Effect.suspend(() => record(gone.flatMap(takeEvents))))
          )
        }).pipe(Effect.uninterruptible)
    }
  })
