import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { idsOfClient } from "../../contract/wire/minted-ids.ts"
import { isWorkspaceId, newWorkspaceId, type WorkspaceId } from "./record.ts"
import type { Registry } from "./registry.ts"

const wrong = (detail: string) => new InvalidRequest({ field: "workspace_ids", detail })

/** Ids for new workspaces: those that the client minted, or others. Fails if a workspace has one already. */
export const newIds = (
  { damaged, entries }: Pick<Registry, "damaged" | "entries">,
  count: number
): Effect.Effect<ReadonlyArray<WorkspaceId>, InvalidRequest> =>
  Effect.flatMap(idsOfClient, (minted) => {
    if (minted.length === 0) return Effect.succeed(Array.from({ length: count }, newWorkspaceId))
    const ids = minted.filter(isWorkspaceId)
    if (ids.length !== minted.length || new Set(ids).size !== count) return wrong(`must be ${count} ids of workspaces`)
    const taken = ids.find((id) => entries.has(id) || damaged.has(id))
    return taken === undefined ? Effect.succeed(ids) : wrong(`${taken} exists already`)
  })
