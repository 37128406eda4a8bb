import { Effect, Ref } from "effect"
import type { WorkspaceId, WorkspaceRecord } from "./record.ts"

/** How messages name a workspace: by its name, else by its id. Every command takes both. */
export const displayName = ({ id, record }: {
  readonly id: WorkspaceId
  readonly record: Ref.Ref<WorkspaceRecord>
}): Effect.Effect<string> => Effect.map(Ref.get(record), ({ name }) => name ?? id)
