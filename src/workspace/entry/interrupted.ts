import { Data } from "effect"
import type { WorkspaceRecord } from "./record.ts"

/**
 * The step whose new disk a record already has, and whose residents it may not have yet. After a crash the next process brings the residents to that
 * state. This file alone reads and writes the fields of the record that announce it: their form on disk is older.
 */
export type Announced = Data.TaggedEnum<{
  /** The residents belong to the disk. */
  Nothing: {}
  /** A reset to the state after the creation. */
  Baseline: {}
  /** A reset to a snapshot. */
  Snapshot: { readonly name: string }
  /** A rewind to a point. */
  Point: { readonly id: string }
}>
export const Announced = Data.taggedEnum<Announced>()

type Fields = "restoredFrom" | "rewoundTo" | "staleResidents"

/** The step that a record announces. A rewind counts before a reset. */
export const announcedBy = ({ restoredFrom, rewoundTo, staleResidents }: Pick<WorkspaceRecord, Fields>): Announced =>
  rewoundTo !== undefined
    ? Announced.Point({ id: rewoundTo })
    : staleResidents !== true
    ? Announced.Nothing()
    : restoredFrom === undefined
    ? Announced.Baseline()
    : Announced.Snapshot({ name: restoredFrom })

/** A record that announces nothing. */
export const withoutAnnouncement = <Record extends Pick<WorkspaceRecord, Fields>>(
  { restoredFrom: _, rewoundTo: _rewound, staleResidents: _stale, ...record }: Record
): Omit<Record, Fields> => record

/** The fields that announce a step. */
export const announcing: (announced: Announced) => Pick<WorkspaceRecord, Fields> = Announced.$match({
  Nothing: () => ({}),
  Baseline: () => ({ staleResidents: true }),
  Snapshot: ({ name }) => ({ staleResidents: true, restoredFrom: name }),
  Point: ({ id }) => ({ rewoundTo: id })
})

/** The snapshot that an interrupted reset still needs. */
export const neededSnapshot = ({ restoredFrom }: Pick<WorkspaceRecord, Fields>): string | undefined => restoredFrom
