import { Effect } from "effect"
import { exportSaved } from "../disk/saved/export.ts"
import { importSaved } from "../disk/saved/import.ts"
import { linkedBase } from "../life/guest/base.ts"
import { findSaved, readAllSaved, savedInfo, seedOfSaved } from "../life/records/saved.ts"
import { obstaclesOf } from "../life/snapshot/restore.ts"
import { deleteSaved, save } from "../life/verbs/keep-saved.ts"
import type { Works } from "./work.ts"

/** The work of the operations on saved snapshots. */
export const savedWorks = {
  "workspace.snapshot.save": {
    notices: ({ entry, lifecycle, notify }, payload) =>
      Effect.map(save(lifecycle, entry, payload, notify), (saved) => ({ _tag: "Saved" as const, saved }))
  },
  "saved.list": () => Effect.map(readAllSaved, (all) => ({ saved: all.map(savedInfo) })),
  "saved.inspect": (_, { name }) =>
    Effect.gen(function*() {
      const saved = yield* findSaved(name)
      const differences = yield* obstaclesOf(saved, yield* linkedBase(saved.folder.base), seedOfSaved(saved))
      return { ...savedInfo(saved), differences }
    }),
  "saved.export": {
    notices: ({ lifecycle, notify }, payload) => exportSaved(lifecycle, payload, notify)
  },
  "saved.import": {
    notices: ({ lifecycle, notify }, payload) =>
      Effect.map(importSaved(lifecycle, payload, notify), (saved) => ({ _tag: "Saved" as const, saved }))
  },
  "saved.delete": ({ lifecycle }, { names }) => Effect.map(deleteSaved(lifecycle, names), (deleted) => ({ deleted }))
} satisfies Partial<Works>
