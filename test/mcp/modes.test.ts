import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { WorkspaceNotReady } from "../../src/contract/errors/errors.ts"
import { type ModeName, modeNames, modeOf, modes } from "../../src/contract/rows/modes.ts"
import type { McpSurface } from "../../src/contract/rows/operation.ts"
import { operations } from "../../src/contract/rows/operations.ts"
import { argumentsOf } from "../../src/mcp/arguments.ts"
import { callTool } from "../../src/mcp/call.ts"
import { instructionsOf } from "../../src/mcp/instructions.ts"
import { makePending } from "../../src/mcp/pending.ts"
import { modeRows } from "../../src/mcp/profile.ts"
import { profileTools, selectedTools } from "../../src/mcp/tool-table.ts"
import { emptyProject, fakePyro, textOf } from "./fakes.ts"
import { info } from "./results.ts"

const NETWORK = { network: true }

/** Tools and arguments of each mode, on a server that may grant a network. */
const EXEC = "workspace_id command cwd wait_seconds timeout_seconds exec_id cursor secret_env cancel"
const expected: { readonly [Name in ModeName]: Readonly<Record<string, string>> } = {
  "repro-fix": {
    workspace_create: "environment network_policy allow_hosts",
    workspace_list: "cursor",
    workspace_exec: EXEC,
    workspace_file_list: "workspace_id path recursive cursor",
    workspace_file_read: "workspace_id path start_line line_count",
    workspace_file_write: "workspace_id path text expected_version",
    workspace_file_edit: "workspace_id path old_text new_text replace_all",
    workspace_diff: "workspace_id paths stat cursor",
    workspace_patch_apply: "workspace_id patch",
    workspace_export: "workspace_id output_path expect overwrite",
    workspace_reset: "workspace_id",
    workspace_delete: "workspace_ids"
  },
  inspect: {
    workspace_create: "environment seed_path allow_hosts",
    workspace_list: "cursor",
    workspace_exec: EXEC.replace(" secret_env", ""),
    workspace_file_list: "workspace_id path recursive cursor",
    workspace_file_read: "workspace_id path start_line line_count",
    workspace_diff: "workspace_id paths stat include_ignored cursor",
    workspace_summary: "workspace_id",
    workspace_reset: "workspace_id",
    workspace_network_log: "workspace_id denied cursor",
    workspace_delete: "workspace_ids"
  },
  "cold-start": {
    workspace_create: "environment network_policy allow_hosts",
    workspace_list: "cursor",
    workspace_exec: EXEC,
    service_start: "workspace_id name command ready_tcp ready_http ready_timeout_seconds cwd env",
    service_logs: "workspace_id name cursor tail_lines",
    workspace_file_list: "workspace_id path recursive cursor",
    workspace_file_read: "workspace_id path start_line line_count",
    workspace_summary: "workspace_id",
    workspace_reset: "workspace_id",
    workspace_delete: "workspace_ids"
  },
  "review-eval": {
    workspace_create: "environment network_policy allow_hosts",
    workspace_list: "cursor",
    workspace_exec: EXEC,
    workspace_file_list: "workspace_id path recursive cursor",
    workspace_file_read: "workspace_id path start_line line_count",
    workspace_file_write: "workspace_id path text expected_version",
    workspace_diff: "workspace_id paths stat cursor",
    workspace_patch_apply: "workspace_id patch check",
    workspace_export: "workspace_id path output_path overwrite",
    workspace_summary: "workspace_id",
    workspace_reset: "workspace_id snapshot",
    workspace_snapshot_create: "workspace_id name",
    workspace_delete: "workspace_ids"
  }
}

const listedIn = (name: ModeName) => selectedTools(name).map(({ listed }) => listed)

const everyTool = operations.flatMap(({ mcp }: { readonly mcp: McpSurface | object }) =>
  "tool" in mcp ? [mcp.tool] : []
)

/** Words of a text that are names of tools. */
const toolsIn = (text: string) =>
  new Set((text.match(/[a-z]+(?:_[a-z]+)+/g) ?? []).filter((word) => everyTool.includes(word)))

describe.each(modeNames)("the mode %s", (name) => {
  const mode = modeOf(name)!
  const listed = listedIn(name)

  it("the mode has its tools with its arguments only", () => {
    const found = selectedTools(name, NETWORK).map(({ listed: { inputSchema, name: tool } }) =>
      [tool, Object.keys(inputSchema.properties ?? {}).join(" ")] as const
    )
    assert.deepStrictEqual(Object.fromEntries(found), expected[name])
    const offline = listed.find((tool) => tool.name === "workspace_create")!.inputSchema.properties ?? {}
    assert.doesNotHaveAnyKeys(offline, ["network_policy", "allow_hosts"])
  })

  it("every narrowed tool and argument is one of the table", () => {
    const rows = modeRows(mode)
    assert.sameMembers(rows.map(({ mcp }) => mcp.tool), Object.keys(mode.tools))
    for (const row of rows) {
      const { arguments: kept, fixed = {} } = mode.tools[row.mcp.tool]!
      const all = argumentsOf(row, "full", NETWORK).map((one) => one.name)
      const core = argumentsOf(row, "core", NETWORK).map((one) => one.name)
      assert.includeMembers([...all, ...core], [...kept, ...Object.keys(fixed)], row.mcp.tool)
    }
  })

  it("the mode costs at most 3,300 tokens, less than workspace-core", () => {
    const tokens = JSON.stringify(listed).length / 4
    assert.isAtMost(tokens, 3_300)
    assert.isBelow(tokens, JSON.stringify(profileTools("core").map((tool) => tool.listed)).length / 4)
  })

  it("the instructions have at most 1,500 characters and name the project", () => {
    const bound = { ...emptyProject, path: `/home/somebody/${"a-long-name/".repeat(10)}` }
    assert.isAtMost(instructionsOf(name, bound).length, 1_500)
    assert.include(instructionsOf(name, bound), bound.path)
    assert.isAtMost(instructionsOf(name, { ...emptyProject, awaitsRoot: true }).length, 1_500)
  })

  it("descriptions, instructions and the prompt name no tool and no network argument that the mode lacks", () => {
    const networked = { ...emptyProject, networkCeiling: { networkPolicy: "egress", allowHosts: [] } } as const
    const inputs = selectedTools(name, NETWORK).map((
      { listed: { description, inputSchema } }
    ) => [description, inputSchema])
    const text = JSON.stringify(inputs) + instructionsOf(name, networked) +
      mode.prompt.text()
    assert.includeMembers(Object.keys(mode.tools), [...toolsIn(text)])
    const { arguments: kept } = mode.tools["workspace_create"]!
    for (const argument of ["network_policy", "allow_hosts"]) {
      assert.strictEqual(text.includes(argument), kept.includes(argument))
    }
  })

  it("the instructions say how to begin, and when to delete the workspace", () => {
    const [first, ...others] = mode.instructions
    assert.match(first!, /^This server is for one task: /)
    assert.includeMembers([...toolsIn(others.join(" "))], ["workspace_create", "workspace_delete"])
  })

  it("the prompt uses its argument, needs none, and lets a model ask", () => {
    const { text } = mode.prompt
    assert.notInclude(text(), "undefined")
    assert.include(text("the words of a person"), ": the words of a person\n")
    assert.include(text("the"), "Ask me first if that is not enough to begin.")
  })
})

describe("the table of modes", () => {
  it("modes have different names, which are no profiles", () => {
    assert.lengthOf(new Set(modes.map(({ name }) => name)), modes.length)
    for (const name of ["vm-run", "workspace-core", "workspace-full"]) assert.isUndefined(modeOf(name))
  })

  it("only repro-fix and review-eval can write to the host", () => {
    const writers = modes.filter(({ tools }) => "workspace_export" in tools || "workspace_disk_export" in tools)
    assert.deepStrictEqual(writers.map(({ name }) => name), ["repro-fix", "review-eval"])
  })
})

describe("a call of a narrowed tool", () => {
  const call = (mode: ModeName, name: string, args: Readonly<Record<string, unknown>>, pyro = fakePyro({})) => {
    const tool = selectedTools(mode).find(({ listed }) => listed.name === name)!
    return Effect.runPromise(
      callTool(tool, args, {
        pyro: Effect.succeed(pyro),
        project: emptyProject,
        pending: makePending(),
        report: () => {}
      })
    )
  }

  it("an argument of another mode is refused with the arguments of this one", async () => {
    const answer = await call("repro-fix", "workspace_create", { name: "x" })
    assert.isTrue(answer.isError)
    assert.match(textOf(answer), /^invalid_request: name: is no argument of this tool; it has environment\n/)
  })

  it("a value that the mode decides is refused if it differs", async () => {
    const answer = await call("repro-fix", "workspace_export", { workspace_id: "a", output_path: "x", patch: false })
    assert.match(textOf(answer), /^invalid_request: patch: is always true in the mode of this server; omit it\n/)
  })

  it("the hint of an error names tools of the mode only", async () => {
    const pyro = fakePyro({
      summary: () => Effect.fail(new WorkspaceNotReady({ workspace: "ws-1", state: "stopped", detail: "no" }))
    })
    const answer = await call("inspect", "workspace_summary", { workspace_id: "ws-1" }, pyro)
    assert.match(
      textOf(answer),
      /\nhint: ask the user, who alone can do this\. Start it: pyro start ws-1$/
    )
  })

  it("a mode finds a workspace of an earlier session", async () => {
    for (const mode of modeNames) {
      const pyro = fakePyro({ list: () => Effect.succeed({ workspaces: [info] }) })
      assert.include(textOf(await call(mode, "workspace_list", {}, pyro)), info.id)
    }
  })
})
