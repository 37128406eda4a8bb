import { assert, describe, it } from "vitest"
import type { CliSurface, McpSurface, Profile } from "../../src/contract/rows/operation.ts"
import { operations } from "../../src/contract/rows/operations.ts"
import { payloadFields } from "../../src/contract/rows/payload-fields.ts"
import { instructionsOf } from "../../src/mcp/instructions.ts"
import type { JsonSchema } from "../../src/mcp/json-schema.ts"
import { type ProfileName, profiles } from "../../src/mcp/profile.ts"
import { type ListedTool, profileTools } from "../../src/mcp/tool-table.ts"
import { emptyProject } from "./fakes.ts"

const listed = (profile: Profile) => profileTools(profile).map((tool) => tool.listed)

/** What a list costs in a conversation: four characters are about a token. */
const tokens = (value: unknown) => JSON.stringify(value).length / 4
/** Without what Codex and OpenCode keep from the model. */
const visible = (tools: ReadonlyArray<ListedTool>) => tools.map(({ annotations: _, outputSchema: __, ...rest }) => rest)

const names = Object.keys(profiles) as ReadonlyArray<ProfileName>
const everyTool = names.flatMap((name) =>
  profileTools(profiles[name]).map((tool) => [`${tool.listed.name} of ${name}`, tool] as const)
)

describe("what the tools of a profile cost", () => {
  it("vm-run costs at most 400 tokens", () => {
    assert.deepStrictEqual(listed("vm-run").map(({ name }) => name), ["vm_run"])
    assert.isAtMost(tokens(listed("vm-run")), 400)
  })

  it("workspace-core costs at most 4,500 tokens for 16 tools, 2,200 of them before every model", () => {
    const core = listed("core")
    assert.deepStrictEqual(core.map(({ name }) => name).sort(), [
      "workspace_create",
      "workspace_delete",
      "workspace_diff",
      "workspace_exec",
      "workspace_export",
      "workspace_file_edit",
      "workspace_file_list",
      "workspace_file_read",
      "workspace_file_write",
      "workspace_list",
      "workspace_patch_apply",
      "workspace_reset",
      "workspace_status",
      "workspace_summary",
      "workspace_sync_push",
      "workspace_update"
    ])
    assert.isAtMost(tokens(core), 4_500)
    assert.isAtMost(tokens(visible(core)), 2_200)
  })

  it("workspace-full costs at most 10,000 tokens, 7,000 of them before every model", () => {
    const full = listed("full")
    assert.isAtMost(tokens(full), 10_000)
    assert.isAtMost(tokens(visible(full)), 7_000)
  })

  it("the server's instructions have at most 1,500 characters", () => {
    const bound = { ...emptyProject, path: `/home/somebody/${"a-long-name/".repeat(10)}` }
    for (const name of names) {
      assert.isAtMost(instructionsOf(name, bound).length, 1_500, name)
      assert.include(instructionsOf(name, bound), bound.path)
    }
  })
})

/** A schema and all that are in it. */
const parts = (schema: JsonSchema): ReadonlyArray<JsonSchema> => [
  schema,
  ...(schema.anyOf ?? []).flatMap(parts),
  ...(schema.items === undefined ? [] : parts(schema.items)),
  ...(typeof schema.additionalProperties === "object" ? parts(schema.additionalProperties) : []),
  ...Object.values(schema.properties ?? {}).flatMap(parts)
]

describe.each(everyTool)("%s", (_, { listed: tool, outputSchema }) => {
  it("every tool has a valid name, a title, a description and four annotations", () => {
    assert.match(tool.name, /^[a-z][a-z_]{1,39}$/)
    assert.isAbove(tool.title.length, 3)
    assert.isAbove(tool.description.length, 5)
    assert.deepStrictEqual(Object.values(tool.annotations).map((hint) => typeof hint), Array(4).fill("boolean"))
    assert.lengthOf(Object.keys(tool.annotations), 4)
  })

  it("every schema has plain types without references, and inputs allow no unknown argument", () => {
    assert.strictEqual(tool.inputSchema.type, "object")
    assert.strictEqual(tool.inputSchema.additionalProperties, false)
    assert.strictEqual(outputSchema.type, "object")
    for (const schema of [tool.inputSchema, outputSchema]) {
      for (const part of parts(schema)) {
        const allowed = [
          "type",
          "description",
          "enum",
          "items",
          "properties",
          "required",
          "additionalProperties",
          "anyOf"
        ]
        assert.deepStrictEqual(
          Object.keys(part).filter((key) => ![...allowed, "minimum", "maximum", "maxItems"].includes(key)),
          []
        )
        assert.isTrue(typeof part.type === "string" || part.anyOf !== undefined, JSON.stringify(part))
      }
    }
  })

  it("tool descriptions name tools and no commands", () => {
    assert.notMatch(JSON.stringify([tool.description, tool.inputSchema]), /`(?:pyro|workspace) [a-z]/)
  })

  it("every output schema covers the whole result", () => {
    assert.sameMembers([...outputSchema.required ?? []], Object.keys(outputSchema.properties ?? {}))
  })
})

describe("a tool without a schema of its result", () => {
  const without = (profile: Profile) =>
    listed(profile).flatMap(({ name, outputSchema }) => outputSchema === undefined ? [name] : [])

  it("only the tool that may return an image has no output schema in workspace-core", () => {
    assert.deepStrictEqual(without("core"), ["workspace_file_read"])
  })

  it("the tools that only workspace-full has cost no output schema", () => {
    const core = listed("core").map(({ name }) => name)
    const only = listed("full").map(({ name }) => name).filter((name) => !core.includes(name))
    assert.deepStrictEqual(without("full").filter((name) => name !== "workspace_file_read"), only)
  })
})

describe("profiles", () => {
  const argumentsOf = (tools: ReadonlyArray<ListedTool>, name: string) =>
    Object.keys(tools.find((one) => one.name === name)?.inputSchema.properties ?? {})

  it("workspace-full has every tool of workspace-core and vm-run", () => {
    for (const { name } of [...listed("core"), ...listed("vm-run")]) {
      const small = [...argumentsOf(listed("core"), name), ...argumentsOf(listed("vm-run"), name)]
      assert.includeMembers(argumentsOf(listed("full"), name), small, name)
    }
  })

  it("descriptions of a profile mention no tool of a larger profile", () => {
    const core = listed("core")
    const others = listed("full").map(({ name }) => name).filter((name) => !core.some((one) => one.name === name))
    assert.isNotEmpty(others)
    const text = JSON.stringify(core) + instructionsOf("workspace-core", emptyProject)
    for (const name of others) assert.notInclude(text, name)
  })
})

describe("the table", () => {
  const tools = operations.filter((row) => "tool" in row.mcp)
  const rows = tools.map((row) => [row.name, row.mcp as McpSurface, row.cli as CliSurface, row] as const)

  it.each(rows)("the MCP arguments of %s name fields, or define their own type", (_, mcp, _cli, row) => {
    const fields = payloadFields(row.payload()).map(({ name }) => name)
    for (const [field, { own }] of Object.entries(mcp.arguments ?? {})) {
      assert.isTrue(own !== undefined || fields.includes(field), field)
    }
  })

  it.each(rows)("%s declares for each host path whether it is read or written", (_, mcp, cli) => {
    for (const [field, { hostPath }] of Object.entries(mcp.arguments ?? {})) {
      if (cli.hostPaths?.includes(field) === true) assert.isDefined(hostPath, field)
    }
  })
})
