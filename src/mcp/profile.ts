import type { McpSurface, Profile } from "../contract/operation.ts"
import { type Operation, operations } from "../contract/operations.ts"

/** Names by which people choose a profile. */
export const profiles = { "vm-run": "vm-run", "workspace-core": "core", "workspace-full": "full" } as const
export type ProfileName = keyof typeof profiles

/** A row that is a tool. */
export type ToolRow = Operation & { readonly mcp: McpSurface }

const isTool = (row: Operation): row is ToolRow => "tool" in row.mcp

/** The tools of a profile, in the order of the table. */
export const toolRows = (profile: Profile): ReadonlyArray<ToolRow> =>
  operations.filter(isTool).filter(({ mcp }) => (mcp as McpSurface).profiles.includes(profile))
