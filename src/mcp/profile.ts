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

/** That a profile has no tool of this name; `there` are those it has. */
export const noTool = (name: string, profile: ProfileName, there: Iterable<string>): string => {
  const names = Object.keys(profiles) as Array<ProfileName>
  const elsewhere = names.filter((one) => toolRows(profiles[one]).some(({ mcp }) => mcp.tool === name))
  const where = elsewhere.length === 0
    ? `no tool "${name}"`
    : `no tool "${name}" in the profile ${profile} (the user can choose another: ${elsewhere.join(" or ")})`
  return `${where}; there are ${[...there].join(", ")}`
}
