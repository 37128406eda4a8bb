import { Result } from "effect"
import { assert, describe, it } from "vitest"
import type { Profile } from "../../../src/contract/rows/operation.ts"
import { argumentsOf, given, inputSchemaOf } from "../../../src/mcp/arguments.ts"
import { toolRows } from "../../../src/mcp/profile.ts"

const argumentsFor = (tool: string, profile: Profile) =>
  argumentsOf(toolRows(profile).find(({ mcp }) => mcp.tool === tool)!, profile)

const requiredOf = (tool: string, profile: Profile): ReadonlyArray<string> =>
  inputSchemaOf(argumentsFor(tool, profile)).required ?? []

/** What the fields come to, or what is wrong with them. */
const taken = (tool: string, raw: Readonly<Record<string, unknown>>, profile: Profile = "full") =>
  Result.match(given(argumentsFor(tool, profile), raw), {
    onFailure: ({ message }) => message,
    onSuccess: ({ fields }) => fields
  })

describe.each([
  ["workspace_file_write", { workspace_id: "a", path: "x" }, { workspace: "a", path: "x" }, "text", "content"],
  ["workspace_patch_apply", { workspace_id: "a" }, { workspace: "a" }, "patch", "patch_bytes"]
])("arguments of %s that take each other's place", (tool, rest, fields, text, bytes) => {
  it("a single alternative argument is required, and each of two is optional", () => {
    assert.include(requiredOf(tool, "core"), text)
    assert.notInclude(requiredOf(tool, "full"), text)
    assert.notInclude(requiredOf(tool, "full"), bytes)
    assert.strictEqual(taken(tool, rest, "core"), `${text}: is missing`)
  })

  it("exactly one of two alternative arguments is accepted", () => {
    assert.deepStrictEqual(taken(tool, { ...rest, [text]: "" }), { ...fields, [text]: "" })
    assert.deepStrictEqual(taken(tool, { ...rest, [text]: null, [bytes]: "AA==" }), { ...fields, [bytes]: "AA==" })
    assert.strictEqual(taken(tool, rest), `${text}: is missing; give ${text} or ${bytes}`)
    assert.strictEqual(
      taken(tool, { ...rest, [text]: "", [bytes]: "" }),
      `${text}: give only one of ${text} or ${bytes}`
    )
  })
})

describe("an argument with a default", () => {
  it("an argument with a default is optional", () => {
    assert.deepStrictEqual(requiredOf("vm_run", "vm-run"), ["command"])
    assert.include(taken("vm_run", { command: "ls" }), { timeout_seconds: 600 })
  })
})

describe("an integer", () => {
  it("an integer may be given as text", () => {
    const fields = { workspace: "a", max_bytes: 6_500, limit: 50 }
    assert.deepStrictEqual(taken("workspace_logs", { workspace_id: "a", cursor: "6" }), { ...fields, cursor: 6 })
    for (const cursor of ["6-9", "", "1e3", "0x6", " 6", "6.5"]) {
      assert.deepStrictEqual(taken("workspace_logs", { workspace_id: "a", cursor }), { ...fields, cursor })
    }
  })

  it.each([
    ["workspace_exec", { timeout_seconds: "2.5" }, { timeout_seconds: 2.5 }],
    ["workspace_exec", { timeout_seconds: "soon" }, { timeout_seconds: "soon" }],
    ["workspace_file_edit", { replace_all: "true" }, { replace_all: true }],
    ["workspace_file_edit", { replace_all: "false" }, { replace_all: false }],
    ["workspace_file_edit", { replace_all: "yes" }, { replace_all: "yes" }],
    ["workspace_file_write", { mode: 755 }, { mode: "755" }],
    ["workspace_diff", { paths: "calc.py" }, { paths: ["calc.py"] }]
  ])("%s may be given as text: %j", (tool, raw, fields) => {
    const given = { workspace_id: "a", command: "c", path: "p", text: "t", old_text: "o", new_text: "n", ...raw }
    const known = argumentsFor(tool, "full").map(({ name }) => name)
    const named = Object.fromEntries(Object.entries(given).filter(([name]) => known.includes(name)))
    assert.deepInclude(taken(tool, named), fields)
  })

  it("a text argument that looks like an integer stays text", () => {
    assert.include(taken("workspace_file_write", { workspace_id: "7", path: "8", text: "9" }), {
      workspace: "7",
      path: "8",
      text: "9"
    })
  })
})
