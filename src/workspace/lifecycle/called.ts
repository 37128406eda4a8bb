import { Effect, Ref } from "effect"
import type { WorkspaceId, WorkspaceRecord } from "./record.ts"

/** What people call a workspace: its name, else its id; every command takes both. */
export const calledOf = ({ id, record }: {
  readonly id: WorkspaceId
  readonly record: Ref.Ref<WorkspaceRecord>
}): Effect.Effect<string> => Effect.map(Ref.get(record), ({ name }) => name ?? id)
