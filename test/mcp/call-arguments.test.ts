import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { profileTools } from "../../src/mcp/tool-table.ts"
import { call, fakePyro, textOf } from "./fakes.ts"
import { fails, info, succeeds } from "./results.ts"

describe("arguments", () => {
  const pyro = fakePyro({
    status: ({ workspace }) => Effect.succeed({ ...info, id: workspace }),
    list: () => Effect.succeed({ workspaces: [] })
  })

  it("an unknown argument is refused with the list of known ones", async () => {
    fails(
      await call(pyro, "workspace_status", { workspace_id: "a", colour: 1 }),
      "invalid_request: colour: is no argument"
    )
    assert.include(textOf(await call(pyro, "workspace_list", { x: 1 })), "it has labels, cursor")
    // The contract's own name of a field is none of the tool's.
    fails(await call(pyro, "workspace_status", { workspace: "a" }), "invalid_request: workspace: is no argument")
  })

  it.each([
    ["workspace_exec", "timeout", "timeout_seconds"],
    ["workspace_exec", "wait_second", "wait_seconds"],
    ["workspace_exec", "workspace", "workspace_id"],
    ["workspace_file_read", "file_path", "path"],
    ["workspace_file_edit", "old_string", "old_text"],
    ["workspace_delete", "wait_for_previou", undefined]
  ])("the unknown argument %s of %s is refused with the closest name, %s", async (tool, unknown, closest) => {
    const told = textOf(await call(pyro, tool, { [unknown]: "x" }))
    assert.match(told, new RegExp(`^invalid_request: ${unknown}: is no argument of this tool; `))
    assert.include(told, closest === undefined ? "it has workspace_ids" : `did you mean ${closest}?\n`)
  })

  it("wait_for_previous of a host is ignored and in no schema", async () => {
    succeeds("workspace_status", await call(pyro, "workspace_status", { workspace_id: "a", wait_for_previous: true }))
    for (const { listed } of profileTools("full")) {
      assert.notProperty(listed.inputSchema.properties, "wait_for_previous", listed.name)
      fails(await call(pyro, listed.name, { wait_for_previous: false, nonsense_: 1 }), "invalid_request: nonsense_: ")
    }
  })

  it("a missing argument is named", async () => {
    fails(await call(pyro, "workspace_status", {}), "invalid_request: workspace_id: is missing")
  })

  it("a null argument is absent", async () => {
    fails(await call(pyro, "workspace_status", { workspace_id: null }), "invalid_request: workspace_id: is missing")
    const listed = succeeds("workspace_list", await call(pyro, "workspace_list", { labels: null, cursor: null }))
    assert.deepStrictEqual(listed, { workspaces: [], next_cursor: null, omitted: 0 } as never)
  })

  it("an argument of the wrong type is named", async () => {
    fails(await call(pyro, "workspace_status", { workspace_id: ["a"] }), "invalid_request: workspace_id: ")
    fails(await call(pyro, "workspace_list", { labels: ["a"] }), "invalid_request: labels: ")
    fails(await call(pyro, "workspace_list", { cursor: true }), "invalid_request: cursor: must be text")
    fails(await call(pyro, "workspace_list", { cursor: "x" }), "invalid_request: cursor: ")
  })
})
