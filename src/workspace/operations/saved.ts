import { Effect } from "effect"
import { virtualBytesOf } from "../entry/record.ts"
import { linkedBase } from "../life/base.ts"
import { deleteSaved, save } from "../life/saved/keep.ts"
import { findSaved, readAllSaved, savedInfo } from "../life/saved/record.ts"
import { obstaclesOf } from "../life/snapshot/restore.ts"
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
      const seed = { path: `${saved.folder.disk}/seed.ext4`, virtualBytes: virtualBytesOf(saved.record.workspace) }
      const differences = yield* obstaclesOf(saved, yield* linkedBase(saved.folder.base), seed)
      return { ...savedInfo(saved), differences }
    }),
  "saved.delete": ({ lifecycle }, { name }) => Effect.map(deleteSaved(lifecycle, name), (deleted) => ({ deleted }))
} satisfies Partial<Works>
