import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { removeFile } from "../../../system/files/entries.ts"
import { toHostErrorOf } from "../../../system/files/host-error.ts"
import type { ResidentKind } from "../../entry/resident.ts"

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
export type StoredPort = typeof StoredPort.Type

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

const PortFile = Schema.Struct({ format: Schema.Literal(1), ports: Schema.Array(StoredPort) })

const fileOf = (folder: string) => path.join(folder, "ports.json")

export const readPorts = (folder: string): Effect.Effect<ReadonlyArray<StoredPort>, NoSpace | StateDirectoryUnusable> =>
  readJson(fileOf(folder), PortFile).pipe(
    Effect.map(Option.match({ onNone: () => [], onSome: ({ ports }) => ports })),
    Effect.mapError(toHostErrorOf(folder))
  )

/** Replaces the file. Without ports there is none. */
export const writePorts = (
  folder: string,
  ports: ReadonlyArray<StoredPort>
): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  (ports.length === 0
    ? removeFile(fileOf(folder))
    : writeJsonAtomic(fileOf(folder), PortFile, { format: 1 as const, ports })).pipe(
      Effect.mapError(toHostErrorOf(folder))
    )
