import { Effect, Ref } from "effect"
import type { NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { type Readable, readableOf } from "./readable.ts"
import { type WorkspaceFolder, type WorkspaceRecord, writeWorkspace, type WriteWorkspaceOptions } from "./record.ts"

/** The record of a workspace in this process, which is never ahead of the record on disk. */
export interface KeptRecord extends Readable<WorkspaceRecord> {
  /** Changes the record, first on disk and then in this process. */
  readonly commit: (
    change: (record: WorkspaceRecord) => WorkspaceRecord,
    options?: WriteWorkspaceOptions
  ) => Effect.Effect<WorkspaceRecord, NoSpace | StateDirectoryUnusable>
}

export const keepRecord = (folder: WorkspaceFolder, record: WorkspaceRecord): KeptRecord => {
  const kept = Ref.makeUnsafe(record)
  return {
    ...readableOf(kept),
    commit: (change, options = {}) =>
      Effect.gen(function*() {
        const changed = change(yield* Ref.get(kept))
        yield* writeWorkspace(folder, changed, options)
        yield* Ref.set(kept, changed)
        return changed
      })
  }
}
