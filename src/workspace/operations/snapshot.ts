import { Effect } from "effect"
import { createSnapshot, deleteSnapshot, listSnapshots } from "../life/snapshot/keep.ts"
import type { Works } from "./work.ts"

/** The work of the operations on snapshots. */
export const snapshotWorks = {
  "workspace.snapshot.create": {
    notices: ({ entry, lifecycle, notify }, { name }) =>
      Effect.map(
        createSnapshot(lifecycle, entry, name, notify),
        (snapshot) => ({ _tag: "Taken" as const, snapshot })
      )
  },
  "workspace.snapshot.list": ({ entry }) => Effect.map(listSnapshots(entry), (snapshots) => ({ snapshots })),
  "workspace.snapshot.delete": ({ entry, lifecycle }, { name }) =>
    Effect.map(deleteSnapshot(lifecycle, entry, name), (deleted) => ({ deleted }))
} satisfies Partial<Works>
