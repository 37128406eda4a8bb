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

  const many = Array.from({ length: 2_000 }, (_, at) => `k${at}`)
  it.each<readonly [string, unknown]>([
    ["a list of 2,000 numbers", many.map(Number)],
    ["a list of 2,000 texts", many],
    ["an object of 2,000 texts", Object.fromEntries(many.map((key) => [key, "x"]))],
    ["a list of lists", Array.from({ length: 40 }, () => many.slice(0, 40))],
    ["an object in a list", [{ name: "x", command: "true", more: Object.fromEntries(many.map((key) => [key, 1])) }]]
  ])("%s is refused for its number of entries, in each argument of each tool", async (_, value) => {
    for (const { args, listed } of profileTools("full")) {
      for (const { fixed, name } of args) {
        if (fixed !== undefined) continue
        const told = textOf(await call(pyro, listed.name, { [name]: value }))
        assert.include(told, `invalid_request: ${name}: must have at most 1000 entries in all`)
      }
    }
  })

  it("a list of 1,000 entries is judged by itself", async () => {
    fails(
      await call(pyro, "workspace_list", { labels: many.slice(0, 1_000) }),
      "invalid_request: labels: must be an object"
    )
  })

  it.each<readonly [string, string]>([
    ["lists in 500 levels", `${"[".repeat(500)}1${"]".repeat(500)}`],
    ["objects in 500 levels", `${"{\"a\":".repeat(500)}1${"}".repeat(500)}`],
    ["names of every object", "{\"__proto__\":{\"polluted\":1},\"constructor\":{\"prototype\":{\"polluted\":1}}}"]
  ])("%s are refused in each argument of each tool, and change nothing else", async (_, json) => {
    for (const { args, listed } of profileTools("full")) {
      for (const { fixed, name } of args) {
        if (fixed !== undefined) continue
        const told = textOf(await call(pyro, listed.name, { [name]: JSON.parse(json) as unknown }))
        assert.match(told, /^invalid_request: /, `${listed.name} ${name}`)
        assert.isBelow(told.length, 2_500)
      }
    }
    assert.notProperty({}, "polluted")
  })

  it("an argument that is named as a member of every object is unknown", async () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const raw = JSON.parse(`{"workspace_id":"a","${name}":{"x":1}}`) as Readonly<Record<string, unknown>>
      fails(await call(pyro, "workspace_status", raw), `invalid_request: ${name}: is no argument`)
    }
  })
})
