import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { parse } from "yaml"
import * as errors from "../../../src/contract/errors/errors.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { snakeCase } from "../../../src/contract/text/snake.ts"
import { profiles } from "../../../src/mcp/profile.ts"
import { profileTools } from "../../../src/mcp/tool-table.ts"

const root = path.resolve(import.meta.dirname, "../../..")
const text = fs.readFileSync(path.join(root, "docs/skills/pyro/SKILL.md"), "utf8")
const [, front = "", body = ""] = /^---\n([^]*?)\n---\n([^]*)$/.exec(text) ?? []

const spans = [...body.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!)

/** A name of a tool, of an argument or of an error. */
const isName = (span: string) => /^[a-z]+(_[a-z]+)+$/.test(span) && span !== "node_modules"

describe("pyro's skill", () => {
  it("its front matter is that of the Agent Skills format", () => {
    const fields = parse(front) as Readonly<Record<string, unknown>>
    assert.hasAllKeys(fields, ["name", "description", "license"])
    // The format wants the folder's name.
    assert.strictEqual(fields["name"], "pyro")
    const { description } = fields
    assert.isString(description)
    assert.isAtMost((description as string).length, 1024)
    // Claude Code and Codex read the description alone before they load a skill.
    assert.match(description as string, /Use it to/)
  })

  it("it has at most 600 words", () => {
    assert.isAtMost(text.split(/\s+/).filter((word) => word !== "").length, 600)
  })

  it("every tool, argument and error that it names exists", () => {
    const tools = operations.flatMap(({ mcp }) => "tool" in mcp ? [mcp.tool as string] : [])
    const args = Object.values(profiles).flatMap((profile) =>
      profileTools(profile, { network: true }).flatMap(({ listed }) => [
        ...Object.keys(listed.inputSchema.properties ?? {}),
        ...Object.keys(listed.outputSchema?.properties ?? {})
      ])
    )
    const codes = Object.values(errors).flatMap((one) =>
      typeof one === "function" && "fields" in one
        ? [snakeCase((one as { readonly identifier: string }).identifier)]
        : []
    )
    const known = new Set([...tools, ...args, ...codes])
    const named = spans.filter(isName)
    assert.deepStrictEqual(named.filter((name) => !known.has(name)), [])
    const [, ofCodes = ""] = body.split("## Errors")
    // The check reads something of each kind.
    assert.includeMembers(named, ["workspace_create", "workspace_id", "workspace_not_found"])
    const ofErrors = [...ofCodes.matchAll(/^- (.+?):/gm)].flatMap(([, list]) => list!.split(", "))
    assert.isAbove(ofErrors.length, 10)
    assert.deepStrictEqual(ofErrors.filter((code) => !codes.includes(code.replaceAll("`", ""))), [])
  })

  it("it names every tool of the way from the seed to the export", () => {
    for (
      const step of ["create", "exec", "file_edit", "patch_apply", "diff", "export", "delete", "reset", "sync_push"]
    ) {
      assert.include(spans, `workspace_${step}`)
    }
  })

  it("the package has it", () => {
    const { files } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
      readonly files: ReadonlyArray<string>
    }
    assert.include(files, "docs")
  })
})
