import { Effect } from "effect"
import { createSnapshot, deleteSnapshot, listSnapshots } from "../life/snapshot/keep.ts"
import type { Works } from "./work.ts"

/** The work of the operations on snapshots. */
export const snapshotWorks = {
  "workspace.snapshot.create": {
    notices: ({ entry, notify }, { name }) =>
      Effect.map(
        createSnapshot(entry, name, notify),
        (snapshot) => ({ _tag: "Taken" as const, snapshot })
      )
  },
  "workspace.snapshot.list": ({ entry }) => Effect.map(listSnapshots(entry), (snapshots) => ({ snapshots })),
  "workspace.snapshot.delete": ({ entry }, { name }) =>
    Effect.map(deleteSnapshot(entry, name), (deleted) => ({ deleted }))
} satisfies Partial<Works>
