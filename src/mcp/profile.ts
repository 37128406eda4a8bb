import { type Mode, type ModeName, modeNames, modeOf } from "../contract/rows/modes.ts"
import type { McpSurface, Profile } from "../contract/rows/operation.ts"
import { type Operation, operations } from "../contract/rows/operations.ts"
import { didYouMean, similarTo } from "../contract/text/similar.ts"
import { repeated } from "./words.ts"

/** Names by which people choose a profile. */
export const profiles = { "vm-run": "vm-run", "workspace-core": "core", "workspace-full": "full" } as const
export type ProfileName = keyof typeof profiles
export type { ModeName }

/** A server's tools by name: those of a profile, or of a mode. */
export type SelectionName = ProfileName | ModeName

export const selectionNames: ReadonlyArray<SelectionName> = [
  ...Object.keys(profiles) as ReadonlyArray<ProfileName>,
  ...modeNames
]

/** A row that is a tool. */
export type ToolRow = Operation & { readonly mcp: McpSurface }

const isTool = (row: Operation): row is ToolRow => "tool" in row.mcp

/** The row of a tool. */
export const toolNamed = (name: string): ToolRow | undefined =>
  operations.filter(isTool).find(({ mcp }) => mcp.tool === name)

/** The tools of a profile, in the order of the table. */
export const toolRows = (profile: Profile): ReadonlyArray<ToolRow> =>
  operations.filter(isTool).filter(({ mcp }) => (mcp as McpSurface).profiles.includes(profile))

/** The rows of a mode's tools, in the order of the table. */
export const modeRows = ({ tools }: Mode): ReadonlyArray<ToolRow> =>
  operations.filter(isTool).filter(({ mcp }) => Object.hasOwn(tools, mcp.tool))

/** Profiles that have a tool of this name. */
export const profilesWith = (name: string): ReadonlyArray<ProfileName> =>
  (Object.keys(profiles) as Array<ProfileName>).filter((one) =>
    toolRows(profiles[one]).some(({ mcp }) => mcp.tool === name)
  )

/** Says that a server has no tool of this name. `there` are its tools. */
export const noTool = (wanted: string, selection: SelectionName, there: Iterable<string>): string => {
  const [elsewhere, tools] = [profilesWith(wanted), [...there]]
  const name = repeated(wanted)
  const where = elsewhere.length === 0
    ? `there is no tool ${name}`
    : `${name} is a tool of the profile ${elsewhere.join(" and of ")}, and this server has the ${
      modeOf(selection) === undefined ? "profile" : "mode"
    } ${selection}; the user can start it with that one`
  return `${where}. This server has ${tools.join(", ")}${didYouMean(similarTo(wanted.toLowerCase(), tools))}`
}

/** The answer to a call of a tool that a server does not have. */
export const noToolResult = (name: string, selection: SelectionName, there: Iterable<string>) => ({
  content: [{
    type: "text" as const,
    text: `invalid_request: ${noTool(name, selection, there)}\nhint: call one of those`
  }] as [{ type: "text"; text: string }],
  isError: true as const
})
