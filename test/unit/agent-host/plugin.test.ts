import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { agentHosts } from "../../../src/agent-host/hosts/hosts.ts"

const root = path.resolve(import.meta.dirname, "../../..")

/** A script of the build has no types. */
const script: string = path.join(root, "scripts/build/agent-plugin.mjs")
const { agentPlugin } = (await import(script)) as {
  readonly agentPlugin: (root: string) => ReadonlyArray<readonly [file: string, text: string]>
}
const files = new Map(agentPlugin(root))

const jsonOf = (file: string) => JSON.parse(files.get(file) ?? "null") as Readonly<Record<string, unknown>>
const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { readonly version: string }

describe("the plugin of Claude Code and Gemini CLI", () => {
  it("it has the files that the hosts look for, and no other", () => {
    assert.deepStrictEqual([...files.keys()].sort(), [
      ".claude-plugin/marketplace.json",
      ".claude-plugin/plugin.json",
      ".mcp.json",
      "GEMINI.md",
      "README.md",
      "gemini-extension.json",
      "skills/pyro/SKILL.md"
    ])
  })

  it("its skill is the one of the documents, and Gemini CLI's text is the skill's description", () => {
    const skill = fs.readFileSync(path.join(root, "docs/skills/pyro/SKILL.md"), "utf8")
    assert.strictEqual(files.get("skills/pyro/SKILL.md"), skill)
    assert.include(files.get("GEMINI.md"), /^description: (.+)$/m.exec(skill)![1]!)
  })

  it("both hosts get the version of the package", () => {
    for (const file of [".claude-plugin/plugin.json", "gemini-extension.json"]) {
      assert.strictEqual(jsonOf(file)["version"], version)
      assert.strictEqual(jsonOf(file)["name"], "pyro")
    }
  })

  it("both hosts start the server that pyro host connect adds", () => {
    const server = { command: "pyro", args: ["mcp", "serve"] }
    assert.deepStrictEqual(jsonOf(".mcp.json")["mcpServers"], {
      pyro: agentHosts["claude-code"].entry(server, "project")
    })
    assert.deepStrictEqual(jsonOf("gemini-extension.json")["mcpServers"], {
      pyro: agentHosts.gemini.entry(server, "user")
    })
  })
})
