import { type Mode, modeOf, type Narrowing } from "../contract/rows/modes.ts"
import { lazy, type McpSurface, type Profile, type PureSchema } from "../contract/rows/operation.ts"
import { type Argument, argumentsOf, type Grants, inputSchemaOf, NO_GRANTS } from "./arguments.ts"
import { type JsonSchema, jsonSchemaOf, resultSchemaOf, STEPS } from "./json-schema.ts"
import {
  modeRows,
  type ProfileName,
  profiles,
  type SelectionName,
  toolNamed,
  type ToolRow,
  toolRows
} from "./profile.ts"
import type { AnyTool } from "./request.ts"
import { tools } from "./tools/all.ts"

/** A tool as `tools/list` has it. */
export interface ListedTool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: JsonSchema & { readonly type: "object" }
  /** Absent for a tool that may answer with an image, and for the tools that only `full` has: their schemas would cost 3,000 tokens. */
  readonly outputSchema?: JsonSchema & { readonly type: "object" }
  readonly annotations: {
    readonly readOnlyHint: boolean
    readonly destructiveHint: boolean
    readonly idempotentHint: boolean
    readonly openWorldHint: boolean
  }
  readonly _meta?: Readonly<Record<string, unknown>>
}

/** A tool of a profile, ready to be called. */
export interface ProfileTool {
  readonly row: ToolRow
  readonly tool: AnyTool
  readonly args: ReadonlyArray<Argument>
  readonly result: PureSchema
  /** Schema of the result's JSON as the tool returns it. */
  readonly resultSchema: JsonSchema
  /** The same for clients, with the field that a shortened result adds. */
  readonly outputSchema: JsonSchema & { readonly type: "object" }
  /** Whether entries of lists may be left out to keep a result short; `omitted` counts them. */
  readonly hasLists: boolean
  /** Names of the server's tools: errors name no others. */
  readonly there: ReadonlySet<string>
  /** Arguments of a tool of the server. Undefined if the server has no such tool. */
  readonly argumentsOf: (tool: string) => ReadonlyArray<Argument> | undefined
  readonly filled: Narrowing["filled"]
  readonly listed: ListedTool
}

const holdsLists = (schema: JsonSchema): boolean =>
  schema.items?.properties !== undefined ||
  (schema.anyOf ?? []).some(holdsLists) ||
  Object.values(schema.properties ?? {}).some(holdsLists)

/** Field of a workspace that a server without a network leaves out. */
const NETWORK = "network"

const toolOf = (
  row: ToolRow,
  profile: Profile,
  grants: Grants,
  there: ReadonlySet<string>,
  narrowings?: Readonly<Record<string, Narrowing>>
): ProfileTool => {
  const mcp: McpSurface = row.mcp
  const narrowing = narrowings?.[mcp.tool]
  const tool: AnyTool = tools[row.name] ?? {}
  const args = argumentsOf(row, profile, grants, narrowing)
  const result: PureSchema = (tool.result ?? row.result)()
  const omits = new Set([STEPS, ...mcp.omits ?? [], ...(grants.network ? [] : [NETWORK])])
  const resultSchema = resultSchemaOf(jsonSchemaOf(result), omits)
  const hasLists = holdsLists(resultSchema)
  const { annotations: { destructive, idempotent, openWorld, readOnly } } = row
  const outputSchema = (hasLists
    ? {
      ...resultSchema,
      properties: { ...resultSchema.properties, omitted: { type: "integer" } },
      required: [...resultSchema.required ?? [], "omitted"]
    }
    : resultSchema) as ProfileTool["outputSchema"]
  const hasSchema = mcp.schemaless !== true && (profile !== "full" || mcp.profiles.includes("core"))
  return {
    row,
    tool,
    args,
    result,
    resultSchema,
    outputSchema,
    hasLists,
    there,
    argumentsOf: (name) => {
      const other = there.has(name) ? toolNamed(name) : undefined
      return other === undefined ? undefined : argumentsOf(other, profile, grants, narrowings?.[name])
    },
    filled: narrowing?.filled,
    listed: {
      name: mcp.tool,
      title: mcp.title ?? row.summary,
      description: narrowing?.description ?? mcp.description ?? row.summary,
      inputSchema: inputSchemaOf(args) as ListedTool["inputSchema"],
      ...(hasSchema ? { outputSchema } : {}),
      annotations: {
        readOnlyHint: readOnly,
        destructiveHint: destructive,
        idempotentHint: idempotent,
        // A tool reaches beyond the host only what a workspace may reach. Codex refuses such tools unless a person approves.
        openWorldHint: openWorld && grants.network
      },
      // Claude Code shows other tools by name, and not before its second request if a prompt begins the conversation. A mode has few tools.
      ...(mcp.essential === true || narrowing !== undefined ? { _meta: { "anthropic/alwaysLoad": true } } : {})
    }
  }
}

const modeTools = (mode: Mode, grants: Grants): ReadonlyArray<ProfileTool> => {
  const there = new Set(Object.keys(mode.tools))
  // Output schemas as in workspace-full: those of workspace-core's tools.
  return modeRows(mode).map((row) => toolOf(row, "full", grants, there, mode.tools))
}

const tables = new Map<string, () => ReadonlyArray<ProfileTool>>()

const kept = (key: string, make: () => ReadonlyArray<ProfileTool>): ReadonlyArray<ProfileTool> => {
  const known = tables.get(key) ?? lazy(make)
  tables.set(key, known)
  return known()
}

/** The tools of a profile in the order of the operation table: always the same text, so that hosts can cache the list. */
export const profileTools = (profile: Profile, grants = NO_GRANTS): ReadonlyArray<ProfileTool> =>
  kept(`${profile} ${grants.network}`, () => {
    const rows = toolRows(profile)
    const there = new Set(rows.map(({ mcp }) => mcp.tool))
    return rows.map((row) => toolOf(row, profile, grants, there))
  })

/** The tools of a server, as `profileTools` has them. */
export const selectedTools = (selection: SelectionName, grants = NO_GRANTS): ReadonlyArray<ProfileTool> => {
  const mode = modeOf(selection)
  return mode === undefined
    ? profileTools(profiles[selection as ProfileName], grants)
    : kept(`${selection} ${grants.network}`, () => modeTools(mode, grants))
}
